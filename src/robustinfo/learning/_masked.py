"""Networks with one hidden layer that keep k of their weights, one per random order, side by side.

Of its order, which runs over the weights of both layers, a network keeps the first k; the rest are
0 and stay 0. So the masks of two counts are nested. All networks of one count learn in the same
steps, by one batched matrix product per layer, and none notices the others.

Few of the kept weights are in the output layer: with a twentieth of 784-64-10, six hidden units of
ten have none, and no effect. As far as every network has such units, they are left out.
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from robustinfo.training.step import cpu_flags


class Start(NamedTuple):
    """The random orders and initial weights that the networks of every count share."""

    ranks: Tensor  # (m, hidden, d + K) int64, the weight's place in the order
    draws: Tensor  # (m, hidden, d + K) standard normal
    features: int  # d


class Layer(NamedTuple):
    """The same layer of m networks."""

    weight: Tensor  # (m, in, out), 0 where it is not kept
    bias: Tensor  # (m, 1, out)
    kept: Tensor  # (m, in, out) bool


def start(features: int, hidden: int, classes: int, *, orders: int, generator: Generator) -> Start:
    """``orders`` random orders of all weights, and their draws, on the generator's device."""
    shape, device = (hidden, features + classes), generator.device
    size = hidden * (features + classes)
    ranks = [torch.randperm(size, generator=generator, device=device) for _ in range(orders)]
    draws = torch.randn(orders, *shape, generator=generator, device=device)
    return Start(torch.stack(ranks).view(orders, *shape), draws, features)


def untrained(start: Start, k: int) -> tuple[Layer, Layer]:
    """The untrained networks that keep k weights; biases are 0, and kept.

    Weights are initialised as by He et al. (2015), arXiv 1502.01852, for the inputs that a unit
    keeps on average, and at least one: otherwise signals of a sparse layer would vanish.
    """
    d, hidden = start.features, start.ranks.shape[1]
    kept = start.ranks < k
    reaches_output = kept[..., d:].any(2)  # (m, hidden)
    width = max(1, int(reaches_output.sum(1).max()))
    units = reaches_output.int().argsort(dim=1, descending=True, stable=True)[:, :width, None]
    kept, draws = (torch.take_along_dim(all, units, 1) for all in (kept, start.draws))
    share = k / start.ranks[0].numel()
    return (
        _layer(kept[..., :d].mT, draws[..., :d].mT, share * d),
        _layer(kept[..., d:], draws[..., d:], share * hidden),
    )


def _layer(kept: Tensor, draws: Tensor, inputs: float) -> Layer:
    weight = (kept * draws * (2 / max(1.0, inputs)) ** 0.5).contiguous()
    return Layer(weight, torch.zeros_like(weight[:, :1]), kept.contiguous())


def outputs(layers: tuple[Layer, Layer], x: Tensor, *, relu: bool) -> Tensor:
    """Logits (m, n, K) of every network, with ReLU or linear hidden units.  x: (n, d)."""
    first, second = layers
    h = torch.baddbmm(first.bias, x.expand(len(first.weight), -1, -1), first.weight)
    return torch.baddbmm(second.bias, h.relu() if relu else h, second.weight)


def memorise(
    layers: tuple[Layer, Layer],
    x: Tensor,
    y: Tensor,
    *,
    relu: bool,
    steps: int,
    learning_rate: float,
) -> Tensor:
    """Train every network on all images at once, in place, by Adam on the cross-entropy in nats.

    x: (n, d) in [0, 1].  y: (n,) labels. Returns (m,) int64: the fewest of the n images that the
    network had wrong before, between or after the steps.
    """
    free = [part.requires_grad_() for layer in layers for part in (layer.weight, layer.bias)]
    optimizer = torch.optim.Adam(free, lr=learning_rate, fused=True)
    labels = y.expand(len(free[0]), -1)  # (m, n)
    fewest = torch.full_like(labels[:, 0], len(y))
    with cpu_flags(onednn=True):
        for _ in range(steps):
            logits = outputs(layers, x, relu=relu)
            fewest = torch.minimum(fewest, _wrong(logits, y))
            # A sum over the networks, so that each has the gradient that it would have alone.
            loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum")
            optimizer.zero_grad()
            (loss / len(y)).backward()
            for layer in layers:
                layer.weight.grad *= layer.kept  # type: ignore[operator]  # after backward
            optimizer.step()
        with torch.no_grad():
            return torch.minimum(fewest, _wrong(outputs(layers, x, relu=relu), y))


def _wrong(logits: Tensor, y: Tensor) -> Tensor:
    return (logits.argmax(2) != y).sum(1)
