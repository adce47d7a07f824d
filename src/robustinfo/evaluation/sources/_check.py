"""Check that a network classifies the images, on a few random ones, before any attack.

Whether its outputs are logits that can be attacked is checked by diagnostics/output_checks.py.
"""

import torch
from torch import Tensor, nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._error_origin import error_with_origin
from robustinfo.evaluation.sources._guarded import Guarded, are_floats, describe_output, image_count
from robustinfo.evaluation.sources._precision import LOW
from robustinfo.evaluation.sources._request import ModelRequest

MORE = (33, 2)  # images of a batch; 33: more than a batch size that a network may have fixed
COUNTS = (*MORE, 1)


@torch.no_grad()
def check_classifier(
    network: nn.Module, text: str, request: ModelRequest, device: torch.device
) -> Guarded:
    """The Guarded network, in eval mode on the device.

    Raises UserError unless it gives float logits (n, classes) for batches of any size.
    """
    x = torch.rand(max(COUNTS), *request.shape, generator=torch.Generator().manual_seed(0)).to(
        device
    )
    answers: dict[int, Tensor] = {}
    try:
        guard = Guarded(network.to(device)).eval()
    except Exception as error:  # the user's network may raise anything
        raise UserError(
            f"{text} cannot be brought to {device} and into eval mode "
            f"({error_with_origin(error)}); let the function return a network that can"
        ) from error
    try:
        _collect_answers(guard, x, answers)
    except Exception as error:
        count = next(one for one in COUNTS if one not in answers)
        size = " x ".join(map(str, request.shape))
        raise UserError(
            f"{text} cannot read {image_count(count)} of {size}, floats in [0, 1] on {device} "
            f"({error_with_origin(error)}); choose the image size that it was made for, and let it "
            "take any number of images"
        ) from error
    for count in (*reversed(MORE), 1):
        if problem := _problem(answers[count], count, request.classes):
            raise UserError(f"{text} {problem}")
    if any(logits.dtype in LOW for logits in answers.values()):
        guard.notes = guard.notes or ["gives logits in less than torch.float32: they are rounded"]
    guard.notes = [f"{text} {note}" for note in guard.notes]
    return guard


def _collect_answers(guard: Guarded, x: Tensor, answers: dict[int, Tensor]) -> None:
    """Fill ``answers`` for each of COUNTS: in float32, or in its own precision where that fails."""
    original = guard.to_float32()
    try:
        guard.forbid_low_precision(x)
        _query(guard, x, answers)
    except Exception:
        if not original:
            raise
        guard.restore_precision(original)
        _query(guard, x, answers)


def _query(guard: Guarded, x: Tensor, answers: dict[int, Tensor]) -> None:
    """Fill ``answers`` in the current precision; where one image alone fails, pass it twice."""
    for count in MORE:
        answers[count] = guard.raw_outputs(x[:count])
    try:
        answers[1] = guard.raw_outputs(x[:1])
    except Exception:  # BatchNorm in training mode asks for more than one value
        guard.pairs = True
    else:
        guard.pairs = isinstance(answers[1], Tensor) and len(answers[1]) != 1
    if guard.pairs:
        answers[1] = guard.raw_outputs(x[:1])


def _problem(logits: Tensor, count: int, classes: int) -> str | None:
    if not are_floats(logits):
        return f"gives {describe_output(logits)} for a batch of images, not float logits (n, K)"
    if logits.shape != (count, classes):
        return (
            f"gives {describe_output(logits)} for {image_count(count)}, not ({count}, {classes}): "
            f"logits of the data's {classes} classes; choose data of the classes that it knows, "
            "or, of a folder of images, name all of them in order (--classes)"
        )
    return None
