"""Defects that answer by chance: every image has a gradient, of another network each time."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.evaluation.defects.defect import Planted, before
from tests.evaluation.defects.layers import with_layers

SMALLEST = 24  # pixels, of 28
PATIENCE, WRONG = 100, 0.1


def noisy(x: Tensor) -> Tensor:
    return x + 0.1 * torch.randn_like(x)


def resized(x: Tensor) -> Tensor:
    """Shrunk to a random size, and put at a random place of a black image."""
    side = x.shape[-1]
    size = int(torch.randint(SMALLEST, side + 1, ()))
    left, top = (int(torch.randint(0, side - size + 1, ())) for _ in range(2))
    small = F.interpolate(x, size=(size, size), mode="bilinear", align_corners=False)
    return F.pad(small, (left, side - size - left, top, side - size - top))


class Pruned(nn.Module):
    """Stochastic activation pruning: drawn by their size with replacement, the rest become 0."""

    def forward(self, t: Tensor) -> Tensor:
        flat = t.flatten(1)
        shares = flat.abs() / flat.abs().sum(1, keepdim=True).clamp(min=1e-12)
        kept = 1 - (1 - shares) ** flat.shape[1]  # as many draws as there are activations
        mask = torch.rand_like(flat) < kept
        return (flat * mask / kept.clamp(min=1e-12)).view_as(t)


class Wearied(nn.Module):
    """From the hundredth question on, one answer in ten is that of another class."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.asked = model, 0

    def forward(self, x: Tensor) -> Tensor:
        self.asked += 1
        logits = self.model(x)
        turned = (torch.rand(len(x)) < WRONG) & (self.asked > PATIENCE)
        return torch.where(turned[:, None], logits.roll(1, 1), logits)


PLANTED = {
    "noise": Planted(before(noisy)),
    "resized": Planted(before(resized)),
    "wearied": Planted(Wearied),
    "pruned": Planted(lambda model: with_layers(model, Pruned)),
}
