"""First-order expansion of a network: the Jacobian J of its logits at an image, and J's norm.

f(x') = f(x) + J (x' - x) + ...,  J = d f(x) / d x, a K x d matrix of its own for every image. Its
spectral norm |J|_2 = max |J delta|_2 / |delta|_2 is its largest singular value, and so the root of
the largest eigenvalue of J J^T, which is K x K only: exact, from K vector-Jacobian products, one
per class for all images at once, without a power iteration or a decomposition of J.

Known bias: where a ReLU or a max-pool is at its edge, J is that of one side. Two ways of computing
f in float32 may take different sides, and then differ by more than rounding, if on few images.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

TOGETHER = {"cpu": 64, "cuda": 512}  # images at once; with 512 a processor needs two thirds longer


class Linearised(NamedTuple):
    logits: Tensor  # (n, K), f(x)
    spectral_norm: Tensor  # (n,) float64, of J
    change: Tensor  # (n, K), J delta


def linearised(f: Callable[[Tensor], Tensor], x: Tensor, delta: Tensor) -> Linearised:
    """f to first order at every image: x, delta: (n, ...), alike. J is only held for a few images.

    f: (n, ...) -> (n, K), every row from its own image alone: a network in eval mode. Freeze its
    weights, or their gradients may be computed along the way.
    """
    size = TOGETHER[x.device.type]
    parts = [_part(f, a, b) for a, b in zip(x.split(size), delta.split(size), strict=True)]
    return Linearised(*(torch.cat(found) for found in zip(*parts, strict=True)))


def jacobian(f: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """f(x), (n, K), and J at every image, (n, K, d): 0 where f does not depend on x."""
    x = x.detach().requires_grad_()
    logits = f(x)
    rows = x.new_zeros(*logits.shape, x.shape[1:].numel())
    if logits.requires_grad:
        # The images do not see each other: the slope of the sum is each one's own.
        for k, total in enumerate(logits.sum(0)):
            (slope,) = torch.autograd.grad(total, x, retain_graph=True, materialize_grads=True)
            rows[:, k] = slope.flatten(1)
    return logits.detach(), rows


def spectral_norm(rows: Tensor) -> Tensor:
    """The largest singular value of every J: (n, K, d) -> (n,) float64; nan if J is not finite.

    J J^T has half the digits of the small singular values, and all digits of the largest.
    """
    gram = torch.stack([one @ one.T for one in map(Tensor.double, rows)])  # (n, K, K)
    broken = ~gram.isfinite().flatten(1).all(1)
    values = torch.linalg.eigvalsh(gram.masked_fill(broken[:, None, None], 0))[:, -1]
    return values.clamp(min=0).sqrt().masked_fill(broken, torch.nan)


def _part(f: Callable[[Tensor], Tensor], x: Tensor, delta: Tensor) -> tuple[Tensor, ...]:
    logits, rows = jacobian(f, x)
    return logits, spectral_norm(rows), (rows @ delta.flatten(1)[:, :, None]).squeeze(2)
