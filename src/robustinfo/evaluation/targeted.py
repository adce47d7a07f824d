"""Targeted attacks, by any attack that takes two classes.

An image reaches its target t where z_t exceeds every other logit. So the network is shown to the
attack as one of two classes, (the largest other logit, z_t), with label 0: an untargeted success
there is a targeted one here. The loss that it climbs is that of these two logits.
"""

from typing import Any

import torch
from torch import Generator, Tensor, nn

from robustinfo.core.batches import correct
from robustinfo.evaluation.attacks import Attack, AttackResult, run_attack


class OfTarget(nn.Module):
    """(n, 2) logits: the best of the other classes, and the target."""

    def __init__(self, network: nn.Module, target: int) -> None:
        """network: images (n, c, h, w) -> logits (n, K). target: below K."""
        super().__init__()
        self.network, self.target = network, target

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, 2)."""
        logits = self.network(x)
        other = [label for label in range(logits.shape[1]) if label != self.target]
        return torch.stack([logits[:, other].amax(1), logits[:, self.target]], 1)


def run_towards(
    model: nn.Module,
    x: Tensor,
    targets: Tensor,
    attack: Attack,
    *,
    rows: slice,
    generator: Generator,
) -> AttackResult:
    """Run one attack on a batch, towards ``targets``, (n,) labels; as ``run_attack``.

    A success became its target, and was not when clean.
    """
    parts, order = list[AttackResult](), list[Tensor]()
    for target in targets.unique().tolist():
        chosen = (targets == target).nonzero().squeeze(1)
        two, other = OfTarget(model, target).eval(), torch.zeros_like(chosen)
        right = correct(two, x[chosen], other)
        run: dict[str, Any] = {"rows": rows, "generator": generator}
        parts.append(run_attack(two, x[chosen], other, right, attack, **run))
        order.append(chosen)
    back = torch.cat(order).argsort()
    return AttackResult(*(torch.cat([*every])[back] for every in zip(*parts, strict=True)))
