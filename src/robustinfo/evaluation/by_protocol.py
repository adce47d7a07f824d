"""Evaluate a network by a protocol: attacks and diagnostics of a size, for a ball."""

from collections.abc import Callable
from math import prod

from torch import Generator, Tensor, nn

from robustinfo.core.batches import ImageSource
from robustinfo.evaluation import protocol
from robustinfo.evaluation.attacks import Progress, attacks_of
from robustinfo.evaluation.evaluate import Evaluation, evaluate
from robustinfo.evaluation.protocol import Ball, Size


def evaluate_by_protocol(
    size: Size,
    model: nn.Module,
    images: ImageSource,
    labels: Tensor,
    *,
    classes: int,
    ball: Ball,
    generator: Generator,
    term: Callable | None = None,
    twin: nn.Module | None = None,
    progress: Progress = print,
) -> Evaluation:
    """Evaluate on as many of the images as there are labels; arguments as in ``evaluate``.

    term: what the network's defence adds to its loss, for the adaptive attack; None: no such
    attack. Diagnostics run on no more than the size's images.
    """
    attacks = protocol.attacks(size, ball, term=term is not None)
    diagnostics = protocol.diagnostics(size, ball, prod(images.shape[1:]), len(labels))
    return evaluate(
        model,
        images,
        labels,
        classes=classes,
        ball=ball,
        attacks=attacks_of({name: part.entry for name, part in attacks.items()}, term=term),
        diagnostics={name: part.entry for name, part in diagnostics.items()},
        generator=generator,
        twin=twin,
        most_diagnosed=size.images,
        progress=progress,
    )
