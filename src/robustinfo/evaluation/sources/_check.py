"""Check that a network classifies the images, on a few random ones, before any attack.

Whether its outputs are logits that can be attacked is checked by diagnostics/output_checks.py.
"""

from collections.abc import Iterator
from contextlib import suppress

import torch
from torch import Tensor, nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._answers import AnswersOnly, NoAnswerError
from robustinfo.evaluation.sources._error_origin import error_with_origin
from robustinfo.evaluation.sources._guarded import Guarded, image_count
from robustinfo.evaluation.sources._normalised import Normalised
from robustinfo.evaluation.sources._outputs import (
    Adaptation,
    are_floats,
    describe_output,
    find_logits,
)
from robustinfo.evaluation.sources._precision import LOW
from robustinfo.evaluation.sources._request import ModelRequest

MORE = (33, 2)  # images of a batch; 33: more than a batch size that a network may have fixed
COUNTS = (*MORE, 1)
IMAGES = (torch.float64, torch.bfloat16, torch.float16)  # frozen TorchScript may read one alone
FAR = 1000  # times an image, where a logit leaves [0, 1] and a probability cannot


@torch.no_grad()
def check_classifier(
    network: nn.Module, text: str, request: ModelRequest, advice: str = ""
) -> Guarded:
    """The Guarded network, in eval mode on the request's device.

    advice: after the message that it cannot read the images.
    Raises UserError unless it gives float logits (n, classes) for batches of any size.
    """
    device = request.device
    x = torch.rand(max(COUNTS), *request.shape, generator=torch.Generator().manual_seed(0)).to(
        device
    )
    try:
        guard = Guarded(network.to(device)).eval()
    except Exception as error:  # the user's network may raise anything
        raise UserError(
            f"{text} cannot be brought to {device} and into eval mode "
            f"({error_with_origin(error)}); let the function return a network that can"
        ) from error
    answers: dict[int, Tensor] = {}
    try:
        _collect_answers(guard, x, answers, request.classes, text)
    except UserError:
        raise
    except NoAnswerError as error:
        raise UserError(f"{text} {error}") from error
    except Exception as error:
        count = next(one for one in COUNTS if one not in answers)
        size = " x ".join(map(str, request.shape))
        raise UserError(
            f"{text} cannot read {image_count(count)} of {size}, floats in [0, 1] on {device} "
            f"({error_with_origin(error)}); choose the image size that it was made for, and let it "
            f"take any number of images{advice}"
        ) from error
    if problem := _problem(guard, x, answers, request.classes):
        raise UserError(f"{text} {problem}")
    if any(logits.dtype in LOW for logits in answers.values()):
        guard.notes = guard.notes or ["gives logits in less than torch.float32: they are rounded"]
    guard.notes = [f"{text} {note}" for note in (*guard.notes, *_about(guard))]
    return guard


def _about(guard: Guarded) -> Iterator[str]:
    """Notes on what is put in before, and what is taken out after the network."""
    if isinstance(guard.network, Normalised):
        yield guard.network.note()
    yield from guard.adaptation.notes
    for part in guard.modules():
        if isinstance(part, AnswersOnly):
            yield f"is known by its {part.gives} alone, and attacked without gradients"


def _collect_answers(
    guard: Guarded, x: Tensor, answers: dict[int, Tensor], classes: int, text: str
) -> None:
    """Fill ``answers`` for each of COUNTS: in float32, or in its own precision where that fails."""
    original = guard.to_float32()
    try:
        guard.forbid_low_precision(x)
        _query(guard, x, answers, classes, text)
        return
    except Exception as error:
        first = error
    if not guard.answers_only and not isinstance(first, UserError):
        for reads in ((None,) if original else ()) + IMAGES:
            guard.restore_precision(original, reads)
            with suppress(Exception):
                return _query(guard, x, answers, classes, text)
    raise first


def _query(guard: Guarded, x: Tensor, answers: dict[int, Tensor], classes: int, text: str) -> None:
    """Fill ``answers`` in the current precision; where one image alone fails, pass it twice."""
    guard.adaptation = Adaptation()
    guard.adaptation = find_logits(guard.raw_outputs(x), len(x), classes, text)
    for count in MORE:
        answers[count] = guard.raw_outputs(x[:count])
    try:
        answers[1] = guard.raw_outputs(x[:1])
    except Exception:  # BatchNorm in training mode asks for more than one value
        guard.pairs = True
    else:
        guard.pairs = isinstance(answers[1], Tensor) and answers[1].shape[:1] not in [(), (1,)]
    if guard.pairs:
        answers[1] = guard.raw_outputs(x[:1])


def _gives_probabilities(guard: Guarded, x: Tensor) -> bool:
    """Whether one logit is between 0 and 1 whatever the images, even far from [0, 1]."""
    try:
        return all(_are_probabilities(guard.raw_outputs(one)) for one in (x, FAR * x, -FAR * x))
    except Exception:  # it need not read such images
        return False


def _are_probabilities(logits: Tensor) -> bool:
    return bool(((logits[:, 1] >= 0) & (logits[:, 1] <= 1)).all())


def _problem(guard: Guarded, x: Tensor, answers: dict[int, Tensor], classes: int) -> str:
    """What is wrong with the answers; empty if nothing is."""
    for count in (*reversed(MORE), 1):
        if problem := _problem_of(answers[count], count, classes):
            return problem
    if guard.adaptation.one_logit and _gives_probabilities(guard, x):
        return (
            "gives one number from 0 to 1 for an image, a probability; let it return the logit, "
            "before the sigmoid"
        )
    return ""


def _problem_of(logits: Tensor, count: int, classes: int) -> str:
    if not are_floats(logits):
        return f"gives {describe_output(logits)} for a batch of images, not float logits (n, K)"
    if logits.shape == (count, classes + 1):
        return (
            f"gives {classes + 1} logits for {classes} classes; if the last one says that it "
            "abstains, say what that is, robust or error (--abstain robust, abstain='robust'); if "
            "not, choose data of the classes that it knows"
        )
    if logits.shape != (count, classes):
        return (
            f"gives {describe_output(logits)} for {image_count(count)}, not ({count}, {classes}): "
            f"logits of the data's {classes} classes; choose data of the classes that it knows, "
            "or, of a folder of images, name all of them in order (--classes)"
        )
    return ""
