"""Targeted attacks, by any attack that takes two classes.

An image reaches its target t where z_t exceeds every other logit. So the network is shown to the
attack as one of two classes, (the largest other logit, z_t), with label 0: an untargeted success
there is a targeted one here. The loss that it climbs is that of these two logits.
"""

import torch
from torch import Generator, Tensor, nn

from robustinfo.evaluation.attacks import Perturb


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


def perturb_towards(
    perturb: Perturb, model: nn.Module, x: Tensor, targets: Tensor, *, generator: Generator
) -> tuple[Tensor, Tensor]:
    """(x_adv, success): like x, and (n,) bool, whether the image became its target.

    targets: (n,) labels. An image that was its target when clean is no success, and stays.
    """
    x_adv, success = x.clone(), torch.zeros_like(targets, dtype=torch.bool)
    for target in targets.unique().tolist():
        rows = (targets == target).nonzero().squeeze(1)
        two = OfTarget(model, target).eval()
        zeros = torch.zeros_like(rows)
        x_adv[rows], success[rows] = perturb(two, x[rows], zeros, generator=generator)
    return x_adv, success
