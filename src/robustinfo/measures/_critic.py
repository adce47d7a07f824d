"""A critic of pairs: two small networks whose outputs' inner product scores a pair.

The form that arXiv 1905.06922 calls separable; its optimum is the logarithm of the density ratio of
pairs that belong together. A part of the pairs is held out of each training, to stop it where the
bound of those pairs is greatest.
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from robustinfo.maths.info_nce import info_nce_bits

WIDTH, EMBEDDING = 64, 16  # of the hidden layer and of the output
BATCH, STEPS, LOOK = 128, 300, 20  # pairs of a step, steps, and steps from look to look
RATE, DECAY = 1e-2, 1.0  # of AdamW; a weaker decay learns the noise of a few hundred pairs
KEPT = 5  # one pair of so many chooses the step to stop at


class Pairs(NamedTuple):
    """a: (m, d) and b: (m, e), row by row."""

    a: Tensor
    b: Tensor


def held_out_bits(trained_on: Pairs, held_out: Pairs, *, generator: Generator) -> float:
    """The bound of pairs that the critic has not seen, in bits."""
    scales = [_scale(side) for side in trained_on]

    def scaled(pairs: Pairs, rows: slice | Tensor = slice(None)) -> Pairs:
        return Pairs(
            *((p[rows] - mean) / std for p, (mean, std) in zip(pairs, scales, strict=True))
        )

    m = len(trained_on.a)
    chooses = torch.arange(m) % KEPT == 0
    train, choose = scaled(trained_on, ~chooses), scaled(trained_on, chooses)
    networks = [_network(side.shape[1], generator) for side in train]
    weights = [w for network in networks for w in network]
    optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=DECAY)
    best, kept = -torch.inf, [w.detach().clone() for w in weights]
    for step in range(STEPS + 1):
        if step % LOOK == 0:
            with torch.no_grad():
                reached = info_nce_bits(_scores(networks, choose)).item()
            if reached > best:
                best, kept = reached, [w.detach().clone() for w in weights]
        drawn = torch.randint(len(train.a), (min(BATCH, len(train.a)),), generator=generator)
        loss = -info_nce_bits(_scores(networks, Pairs(train.a[drawn], train.b[drawn])))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        for weight, value in zip(weights, kept, strict=True):
            weight.copy_(value)
        return info_nce_bits(_scores(networks, scaled(held_out))).item()


def _scale(side: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (d,) and one standard deviation for all: a neuron that is seldom active stays small."""
    mean = side.mean(0)
    std = (side - mean).square().mean().sqrt()
    return mean, std.where(std > 0, torch.ones(()))


def _network(inputs: int, generator: Generator) -> list[Tensor]:
    """Weights and biases of two layers. The output starts small: the bound starts near 0."""
    first = torch.randn(WIDTH, inputs, generator=generator) * (2 / inputs) ** 0.5
    second = torch.randn(EMBEDDING, WIDTH, generator=generator) * 0.3 / WIDTH**0.5
    parts = [first, torch.zeros(WIDTH), second, torch.zeros(EMBEDDING)]
    return [part.requires_grad_() for part in parts]


def _scores(networks: list[list[Tensor]], pairs: Pairs) -> Tensor:
    """(m, m) of the i-th a and the j-th b."""
    a, b = (_embedded(side, *n) for side, n in zip(pairs, networks, strict=True))
    return a @ b.T


def _embedded(t: Tensor, w: Tensor, b: Tensor, v: Tensor, c: Tensor) -> Tensor:
    return nn.functional.linear(nn.functional.linear(t, w, b).relu(), v, c)
