"""What a network is to be asked, and the evaluation that answers; for command and programs."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import torch

from robustinfo.core.batches import ImageSource
from robustinfo.core.errors import UserError
from robustinfo.core.settings import out_of_scale
from robustinfo.evaluation.abstain import Abstaining
from robustinfo.evaluation.by_protocol import evaluate_by_protocol
from robustinfo.evaluation.document import device_name
from robustinfo.evaluation.evaluation import Evaluation
from robustinfo.evaluation.finished import Finished
from robustinfo.evaluation.images import LabelledImages
from robustinfo.evaluation.progress import Progress
from robustinfo.evaluation.selection import Choice
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.sources._behaviour import behaviour_sha256
from robustinfo.evaluation.sources._guarded import Guarded, guarded
from robustinfo.evaluation.threats import Ball
from robustinfo.evaluation.versions import versions


class Questions(NamedTuple):
    """What a network is to be asked."""

    ball: Ball
    size: Size
    images: int | None = None  # how many; None: as the protocol has it
    attacks: Sequence[Choice] | None = None  # as in selection.py
    crafted: Mapping[str, ImageSource] | None = None  # adversarial images by a name
    epsilons: Sequence[float] = ()  # of the curve
    seed: int = 0
    device: torch.device = torch.device("cpu")
    batch_size: int | None = None
    abstain: str | None = None  # what it is to abstain, as in abstain.py
    loss: Callable | None = None  # (x, y) -> the term of the defence, a scalar or (n,)
    remedies: bool | None = None  # as in evaluate
    folder: Path | None = None  # where finished parts are kept and read
    command: str | None = None  # that repeats it

    @property
    def most_images(self) -> int:
        """The number of images, if there are as many."""
        return self.images or self.size.images


def ask(
    questions: Questions,
    network: Guarded,
    data: LabelledImages,
    *,
    twin: Guarded | None = None,
    progress: Progress = print,
) -> Evaluation:
    """The evaluation of a network, which lies on the device. Raises UserError."""
    check(questions, data)
    ball, labels = questions.ball, data.labels[: questions.most_images]
    model, term, abstains = as_attacked(network, questions)
    about = _about(questions, network, twin, data)
    shape, began = tuple(data.images.shape[1:]), time.perf_counter()
    result = evaluate_by_protocol(
        questions.size,
        model,
        data.images,
        labels,
        classes=len(data.classes),
        ball=ball,
        seed=questions.seed,
        device=questions.device,
        attacks=questions.attacks,
        crafted=questions.crafted,
        epsilons=questions.epsilons,
        term=term,
        users_term=questions.loss is not None,
        twin=twin,
        abstains=abstains,
        batch_size=questions.batch_size,
        remedies=questions.remedies,
        finished=Finished(questions.folder, _run(questions, about, [network, twin], shape)),
        progress=progress,
    )
    about["seconds"] = round(time.perf_counter() - began, 1)
    about["data"]["sha256"] = result.data_sha256
    return Evaluation(**vars(result), about=about)


def check(questions: Questions, data: LabelledImages) -> None:
    """Raise UserError where no image is so far from another, or crafted ones are not like these."""
    ball, labels = questions.ball, data.labels[: questions.most_images]
    values = prod(data.images.shape[1:])
    for epsilon in (ball.epsilon, *questions.epsilons):
        if problem := out_of_scale(epsilon, ball.norm, values):
            raise UserError(f"epsilon {epsilon:g}: {problem}")
    for name, images in (questions.crafted or {}).items():
        if images.shape[1:] != data.images.shape[1:] or images.shape[0] < len(labels):
            raise UserError(
                f"adversarial images {name}: {tuple(images.shape)}, and {len(labels)} images of "
                f"{tuple(data.images.shape[1:])} are judged; give one like each, in their order"
            )


def as_attacked(
    network: Guarded, questions: Questions
) -> tuple[Guarded, Callable | None, Callable | None]:
    """The network to attack; the term for the adaptive attack; images -> whether it abstains."""
    model, term, abstains = network, network.attack_term(), None
    if questions.abstain == "robust":
        abstaining = Abstaining(network).eval()
        model, term, abstains = guarded(abstaining), abstaining.term, abstaining.abstains
    if questions.loss is not None:
        term = _term(model, questions.loss)
    return model, term, abstains


def _term(model: Guarded, loss: Callable) -> Callable:
    """The user's term as attacks take it: (x, y) -> logits (n, K), and the term, a scalar."""

    def term(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        value = loss(x, y)
        if not isinstance(value, torch.Tensor) or not value.requires_grad:
            raise UserError("loss= gives no tensor with a gradient in x; let it return the term")
        return model(x), value.sum()

    return term


def _run(
    questions: Questions,
    about: Mapping[str, Any],
    networks: Sequence[Guarded | None],
    shape: tuple[int, ...],
) -> dict[str, Any]:
    """What every finished part depends on; without a folder, nothing."""
    if questions.folder is None:
        return {}
    does = [one and behaviour_sha256(one, shape, questions.device) for one in networks]
    return {
        "networks": [one and one.sha256 for one in networks],
        "behaviour": does,
        "threat": questions.ball.model_dump(),
        "seed": questions.seed,
        "abstain": questions.abstain,
        "device": questions.device.type,
        "versions": about["versions"],
    }


def _about(
    questions: Questions, network: Guarded, twin: Guarded | None, data: LabelledImages
) -> dict[str, Any]:
    """What repeats the evaluation, as ``document`` has it."""
    found = versions()
    return {
        "robustinfo": found.get("robustinfo"),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": questions.command,
        "protocol": questions.size._asdict()
        | {"images": len(data.labels[: questions.most_images])},
        "seed": questions.seed,
        "batch_size": questions.batch_size,
        "abstain": questions.abstain,
        "device": device_name(questions.device),
        "model": _network(network),
        "twin": None if twin is None else _network(twin),
        "data": data.summary._asdict(),
        "versions": found,
    }


def _network(network: Guarded) -> dict[str, Any]:
    return {"source": network.source, "sha256": network.sha256, "notes": network.notes}
