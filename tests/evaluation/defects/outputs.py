"""Defects of what the network gives: no logits, saturated ones, or votes."""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.evaluation.attacks import attacks_of
from tests.evaluation.defects.defect import PGD, SQUARE, After, Planted, after, undefended
from tests.evaluation.defects.layers import with_layers
from tests.evaluation.networks import honest

CODE, SHARPNESS = 127, 50.0  # bits of a class's code; slope of a bit


class TwoBits(nn.Module):
    """Activations rounded to two bits."""

    def forward(self, t: Tensor) -> Tensor:
        top = t.detach().flatten(1).amax(1).clamp(min=1e-12).view(-1, *[1] * (t.ndim - 1))
        return (3 * t / top).round() / 3 * top


class Votes(nn.Module):
    """How many members name each class: a majority vote of networks of mixed precision."""

    def __init__(self, members: list[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: Tensor) -> Tensor:
        votes = [F.one_hot(member(x).argmax(1), 10) for member in self.members]
        return torch.stack(votes).sum(0).to(x)


def mixed_precision(model: nn.Module) -> nn.Module:
    plain = [honest("digits", "standard", seed).model for seed in (0, 3)]
    return Votes([plain[0], *(with_layers(one, TwoBits) for one in plain)])


def in_codes(logits: Tensor) -> Tensor:
    """Logits from how well saturated bits agree with each class's code, (n, K) -> (n, K)."""
    drawn = torch.randn(logits.shape[1], CODE, generator=Generator().manual_seed(0))
    code = drawn.sign().to(logits)
    return torch.tanh(SHARPNESS * (logits - logits.mean(1, keepdim=True)) @ code) @ code.T


def saturated(model: nn.Module) -> nn.Module:
    return After(undefended(), lambda logits: 1000 * logits)


def on_the_cross_entropy(ball, network):
    """PGD on the cross-entropy, and a black box."""
    return attacks_of({"pgd": PGD, "square": SQUARE})


PLANTED = {
    "softmax": Planted(after(nn.Softmax(1))),
    "log_softmax": Planted(after(nn.LogSoftmax(1))),
    "log_of_softmax": Planted(after(lambda logits: (20 * logits).softmax(1).log())),
    "saturated": Planted(saturated, on_the_cross_entropy),
    "codes": Planted(lambda model: After(undefended(), in_codes)),
    "votes": Planted(mixed_precision),
    "permuted": Planted(after(lambda logits: logits.roll(1, 1))),
}
