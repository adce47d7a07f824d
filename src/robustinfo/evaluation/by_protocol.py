"""Evaluate a network by a protocol: attacks and diagnostics of a size, for a ball."""

from collections.abc import Callable, Mapping, Sequence
from math import prod

import torch
from torch import Tensor, nn

from robustinfo.core.batches import ImageSource
from robustinfo.evaluation import protocol
from robustinfo.evaluation.batch import FOLLOWING
from robustinfo.evaluation.evaluate import evaluate
from robustinfo.evaluation.finished import Finished
from robustinfo.evaluation.progress import Progress
from robustinfo.evaluation.result import Result
from robustinfo.evaluation.selection import Choice, select
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball


def evaluate_by_protocol(
    size: Size,
    model: nn.Module,
    images: ImageSource,
    labels: Tensor,
    *,
    classes: int,
    ball: Ball,
    seed: int = 0,
    device: torch.device | str = "cpu",
    attacks: Sequence[Choice] | None = None,
    crafted: Mapping[str, ImageSource] | None = None,
    epsilons: Sequence[float] = (),
    term: Callable | None = None,
    users_term: bool = False,
    twin: nn.Module | None = None,
    abstains: Callable[[Tensor], Tensor] | None = None,
    batch_size: int | None = None,
    remedies: bool | None = False,
    finished: Finished = Finished(),  # noqa: B008  # it is a constant
    progress: Progress = print,
) -> Result:
    """Evaluate on as many of the images as there are labels; arguments as in ``evaluate``.

    attacks, crafted: as in ``select``. epsilons: of the curve of accuracy by epsilon, instead of
    the protocol's. term: what the network's defence adds to its loss, for the adaptive attack;
    None: no such attack. users_term: whether it is a function of the user. Diagnostics run on no
    more than the size's images.
    """
    selection = select(size, ball, attacks, term=term, users_term=users_term, crafted=crafted)
    parts = protocol.diagnostics(size, ball, prod(images.shape[1:]), len(labels), epsilons)
    costs = selection.costs | {name: part.cost for name, part in parts.items()}
    return evaluate(
        model,
        images,
        labels,
        classes=classes,
        ball=ball,
        attacks=selection.attacks,
        diagnostics={name: part.entry for name, part in parts.items()},
        seed=seed,
        device=device,
        twin=twin,
        abstains=abstains,
        most_diagnosed=size.images,
        batch_size=batch_size,
        costs=costs | {FOLLOWING: protocol.follow_up(size, ball)},
        only_to_hold=selection.only_to_hold,
        remedies=remedies,
        finished=finished,
        progress=progress,
    )
