"""Kernel matrices of m samples, each less a constant, and their centring.

Gaussian: K_ij = exp(-|t_i - t_j|^2 / (2 sigma^2 d)), d the number of features, as arXiv 1908.01580
and 2106.02734 use it with sigma = 5. Samples of a few units then have K close to 1, where a float32
has few digits left for what differs. Every use here centres the kernel or ignores constants
(H (K - 1) H = H K H), so K - 1 is what is computed: its digits are all there.
"""

import math
from typing import Any

import torch
from torch import Tensor

SIGMA = 5.0  # per feature


def gaussian(t: Tensor, sigma: float | Tensor = SIGMA) -> Tensor:
    """K - 1: (..., m, d) -> (..., m, m), in [-1, 0]; float32, or float64 if t is.

    Differentiable once, sigma being a constant. Never in a lower precision: autocast is ignored.
    """
    return _Gaussian.apply(t if t.dtype == torch.float64 else t.float(), sigma)


def median_sigma(t: Tensor) -> Tensor:
    """The sigma, a scalar, at which the bandwidth is the median distance of two samples: (m, d).

    Gretton et al. (2007), A kernel statistical test of independence. T and a T + b, or T turned,
    then have the same kernel. It is 1 where more than half of the distances are 0.
    """
    median = torch.pdist(t).median()
    return torch.where(median > 0, median / t.shape[1] ** 0.5, 1.0)


def same_label(y: Tensor) -> Tensor:
    """The linear kernel of one-hot labels, (m,) -> (m, m) float32: 1 where they agree, else 0."""
    return (y[:, None] == y).float()


def gaussian_label(y: Tensor, classes: int) -> Tensor:
    """``gaussian`` of one-hot labels among so many classes, (m,) -> (m, m) float32.

    Two labels that differ are at the squared distance 2 and d is the number of classes: centred,
    this is the linear kernel times 1 - exp(-1 / (SIGMA^2 classes)), 0.004 for ten classes.
    """
    return (y[:, None] != y).float() * math.expm1(-1 / (SIGMA**2 * classes))


def centred(kernel: Tensor) -> Tensor:
    """H K H, H = I - 1 1^T / m, by the means of rows and columns: (..., m, m) symmetric."""
    means = kernel.mean(-1)
    half = means.mean(-1, keepdim=True) / 2
    return kernel.sub((means - half)[..., :, None]).sub_((means - half)[..., None, :])


def _full(t: Tensor) -> torch.autocast:
    """Products in the precision of t, inside autocast, too."""
    return torch.autocast(t.device.type, enabled=False)


class _Gaussian(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, t: Tensor, sigma: float | Tensor) -> Tensor:  # noqa: ANN401
        t = t - t.mean(-2, keepdim=True)  # far from the origin, squares would swallow distances
        with _full(t):
            kernel = t @ t.mT
        norms = kernel.diagonal(dim1=-2, dim2=-1).clone()
        scale = 1 / (2 * sigma**2 * t.shape[-1])
        kernel.mul_(-2).add_(norms[..., :, None]).add_(norms[..., None, :])
        kernel.clamp_(min=0).mul_(-scale).expm1_()
        kernel.diagonal(dim1=-2, dim2=-1).zero_()
        ctx.save_for_backward(t, kernel)
        ctx.scale = scale
        return kernel

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        t, kernel = ctx.saved_tensors
        # Each distance stands in the matrix twice, and d |t_i - t_j|^2 / d t_i = 2 (t_i - t_j).
        pull = (grad + grad.mT).mul_(kernel + 1).mul_(2 * ctx.scale)
        pull.diagonal(dim1=-2, dim2=-1).sub_(pull.sum(-1))
        with _full(t):
            return pull @ t, None
