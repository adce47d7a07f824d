"""The Hilbert-Schmidt independence criterion: plain, unbiased, and normalised.

Gretton et al. (2005), Measuring statistical dependence with Hilbert-Schmidt norms, and Song et al.
(2012), Feature selection via dependence maximization (JMLR 13, eq. 4 and 5). With K' = H K H:
    biased    tr(K' L') / (m - 1)^2
    unbiased  [tr(K~ L~) + 1'K~1 1'L~1 / ((m-1)(m-2)) - 2/(m-2) 1'K~L~1] / (m (m-3)),
              K~ and L~ being K and L with a diagonal of zeros
    nHSIC     tr(R_K R_L),  R_K = K' (K' + 1e-5 m I)^-1 = I - 1e-5 m (K' + 1e-5 m I)^-1
The last is the stand-in for mutual information of arXiv 1908.01580, 2106.02734 and 2302.10896.

Bias: the biased form and nHSIC are above 0 for independent samples, nHSIC by far: R_K counts the
directions in which K' exceeds 1e-5 m, and m samples leave many. It grows with the features and
depends on m; only beside that of permuted samples (``chance``, ``permuted``) does it mean anything.

Nothing is read back from the device. A matrix that is not positive definite gives nan.
"""

from typing import Any

import torch
from torch import Generator, Tensor

from robustinfo.maths.kernels import centred

RIDGE = 1e-5  # per sample, of nHSIC


def biased(k: Tensor, other: Tensor) -> Tensor:
    """Biased HSIC of two centred kernels, (..., m, m) each, m > 1: >= 0, one for each pair."""
    return (k * other).sum((-2, -1)) / (k.shape[-1] - 1) ** 2


def unbiased(k: Tensor, other: Tensor) -> Tensor:
    """Unbiased HSIC of two kernels, (..., m, m) each, m > 3, up to a constant; may be below 0."""
    m = k.shape[-1]
    k, other = _hollow(k), _hollow(other)
    sums, others = k.sum(-1), other.sum(-1)
    whole = sums.sum(-1) * others.sum(-1) / ((m - 1) * (m - 2))
    crossed = (sums * others).sum(-1) * 2 / (m - 2)
    return ((k * other).sum((-2, -1)) + whole - crossed) / (m * (m - 3))


def _hollow(kernel: Tensor) -> Tensor:
    """The kernel with a zero diagonal and mean 0 off it, which changes no value of HSIC."""
    m = kernel.shape[-1]
    off = ~torch.eye(m, dtype=torch.bool, device=kernel.device)
    mean = (kernel * off).sum((-2, -1), keepdim=True) / (m * (m - 1))
    return (kernel - mean) * off


def projection(kernel: Tensor) -> Tensor:
    """R of kernels, up to a constant, (..., m, m) -> (..., m, m).

    Its eigenvalues are k / (k + 1e-5 m), those of a projection but for the smallest. Inside, all is
    float64: rounding the large eigenvalues of a float32 would move the many that are near 0.
    """
    return _Projection.apply(kernel)


def nhsic(r: Tensor, s: Tensor) -> Tensor:
    """nHSIC of each pair, in [0, m - 1].  r, s: (..., m, m) from ``projection``."""
    return (r * s).sum((-2, -1))


def chance(r: Tensor, s: Tensor) -> Tensor:
    """The mean of ``nhsic(r, s)`` over all permutations of one side's samples, exactly.

    r, s: (..., m, m), m > 1. A permuted matrix has, in the mean, its mean diagonal everywhere on
    the diagonal and its mean elsewhere; rows of centred matrices sum to 0, which leaves the traces.
    """
    traces = [one.diagonal(dim1=-2, dim2=-1).sum(-1) for one in (r, s)]
    return traces[0] * traces[1] / (r.shape[-1] - 1)


def permuted(r: Tensor, s: Tensor, *, permutations: int, generator: Generator) -> Tensor:
    """``nhsic(r, s)`` under random permutations of the samples of s: (permutations,).

    r, s: (m, m). The share of these that reach nhsic(r, s) is the p-value of independence. No
    matrix is factorised again: its rows and columns change places.
    """
    m = len(s)
    values = []
    for _ in range(permutations):
        order = torch.randperm(m, generator=generator, device=s.device)
        values.append(nhsic(r, s[order][:, order]))
    return torch.stack(values)


class _Projection(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, kernel: Tensor) -> Tensor:  # noqa: ANN401
        ridge = RIDGE * kernel.shape[-1]
        shifted = centred(kernel.double())
        shifted.diagonal(dim1=-2, dim2=-1).add_(ridge)
        factor, failed = torch.linalg.cholesky_ex(shifted)
        inverse = torch.cholesky_inverse(factor)
        inverse.masked_fill_((failed != 0)[..., None, None], torch.nan)
        ctx.save_for_backward(inverse)
        ctx.ridge = ridge
        result = inverse * -ridge
        result.diagonal(dim1=-2, dim2=-1).add_(1)
        return result.to(kernel.dtype)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # noqa: ANN401
        (inverse,) = ctx.saved_tensors
        with torch.autocast(grad.device.type, enabled=False):
            gradient = inverse @ (grad.double() * ctx.ridge) @ inverse
        return centred((gradient + gradient.mT) / 2).to(grad.dtype)  # of a symmetric matrix
