"""The channel mask of arXiv 2302.10896, eq. 3: cut the channels with the least nHSIC(f_c, Y).

phi_c = [nHSIC(f_c, Y) >= threshold], f_c being the map of channel c, the threshold such that it
cuts the lowest 5 % of the channels. The paper's threshold is the greatest of the values that it
cuts, which its own ">=" would keep: here a share of the channels is cut, by rank.

nHSIC = tr(R_c R_Y) needs no R_c. R_Y = U U^T has as many columns as there are classes. And a map
of few pixels has a kernel of a low rank, K_c = Z^T Z + E with 96 rows Z from as many samples
(Nystroem; most of them those far from the mean, whose rows are like no other), E >= 0, so that, Z
being centred,
    tr(R_c R_Y) = |L^-1 Z U|^2 + rest,  L L^T = Z Z^T + 1e-5 m I,  0 <= rest <= tr(E) / (1e-5 m),
since k / (k + 1e-5 m) is operator monotone with a slope of at most 1 / (1e-5 m). Where the rest may
exceed ``TOLERANCE``, a Cholesky factor of the whole m x m matrix is taken instead, as it is of the
few samples of a batch.
"""

import torch
from torch import Tensor

from robustinfo.maths.hsic import RIDGE, nhsic, projection
from robustinfo.maths.kernels import SIGMA, centred, gaussian

LANDMARKS, FAR = 96, 64  # samples that stand for all; so many of them the farthest
TOLERANCE = 1e-3  # of a value; nHSIC(f_c, Y) reaches the number of classes less one
TOGETHER = {"cpu": 2**19, "cuda": 2**26}  # elements of Z at once: what the caches hold, or a GPU


@torch.no_grad()
def relevance(f: Tensor, y: Tensor, *, classes: int) -> Tensor:
    """nHSIC(f_c, Y) of every channel, (C,) float64.  f: (m, C, h, w).  y: (m,) below ``classes``.

    The kernel of the labels is linear. A channel with a value that is not finite has nan. Biased
    as nHSIC is (hsic.py): noise scores more than a constant, which has 0.
    """
    m = len(f)
    maps = f.flatten(2).transpose(0, 1)  # (C, m, h w)
    u = label_factor(y, classes)
    size = max(1, TOGETHER[f.device.type] // (LANDMARKS * m))
    parts = [_by_landmarks(part.double(), u) for part in maps.split(size)]
    values, rest = (torch.cat(found) for found in zip(*parts, strict=True))
    for c in (~(rest <= TOLERANCE)).nonzero().flatten().tolist():
        values[c] = _by_full_matrix(maps[c], u)
    return values


@torch.no_grad()
def batch_relevance(f: Tensor, y: Tensor) -> Tensor:
    """``relevance`` of the channels of a batch, (C,) float64.  f: (m, C, h, w), m a few hundred."""
    u = label_factor(y, int(y.max()) + 1)  # a class that is not there adds nothing
    return _by_full_matrix(f.flatten(2).transpose(0, 1).double(), u)


@torch.no_grad()
def batch_dependence(f: Tensor, x: Tensor) -> Tensor:
    """nHSIC(f_c, X) of the channels of a batch, (C,) float32.  f: (m, C, h, w).  x: (m, ...)."""
    channels = projection(gaussian(f.flatten(2).transpose(0, 1)))
    return nhsic(channels, projection(gaussian(x.flatten(1))))


def mask(values: Tensor, share: float = 0.05) -> Tensor:
    """(C,) bool, False at the lowest ``share`` of the values, (C,), to the nearest channel.

    Of equal values, those of the first channels are the lower; nan is the lowest.
    """
    lowest = values.nan_to_num(nan=-torch.inf).argsort(stable=True)[: round(share * len(values))]
    keep = torch.ones_like(values, dtype=torch.bool)
    keep[lowest] = False
    return keep


def label_factor(y: Tensor, classes: int) -> Tensor:
    """U of R_Y = U U^T, the linear kernel of the labels: (m,) -> (m, K) float64, columns centred.

    R_Y = B (B^T B + 1e-5 m I)^-1 B^T with B = H Y.
    """
    columns = (y[:, None] == torch.arange(classes, device=y.device)).double()
    columns -= columns.mean(0)
    factor = _factor(columns.T @ columns, RIDGE * len(y))
    return torch.linalg.solve_triangular(factor, columns.T, upper=False).T


def _by_landmarks(t: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """(values, what they may lack), (c,) each.  t: (c, m, d) float64."""
    m, d = t.shape[1:]
    t = (t - t.mean(1, keepdim=True)) / (2 * SIGMA**2 * d) ** 0.5
    norms = t.square().sum(2)  # (c, m)
    picked = norms.argsort(1, descending=True)[:, _ranks(m, t.device)]  # (c, r)
    squared = torch.baddbmm(norms[:, None], _rows(t, picked), t.mT, alpha=-2)
    squared += norms.gather(1, picked)[:, :, None]
    kernel = squared.clamp_(min=0).neg_().exp_()  # (c, r, m)
    factor = _factor(_rows(kernel.mT, picked), 1e-13 * LANDMARKS)
    z = torch.linalg.solve_triangular(factor, kernel, upper=False)
    rest = m - z.square().sum((1, 2))  # tr(E): the diagonal of a Gaussian kernel is 1
    z -= z.mean(2, keepdim=True)
    inner = torch.linalg.solve_triangular(_factor(z @ z.mT, RIDGE * m), z @ u, upper=False)
    return inner.square().sum((1, 2)), rest / (RIDGE * m)


def _ranks(m: int, device: torch.device) -> Tensor:
    """Ranks of the landmarks among m samples, the farthest being the first: all, if m is small."""
    if m <= LANDMARKS:
        return torch.arange(m, device=device)
    others = torch.linspace(FAR, m - 1, LANDMARKS - FAR, device=device).long()
    return torch.cat([torch.arange(FAR, device=device), others])


def _rows(t: Tensor, picked: Tensor) -> Tensor:
    """(c, m, d), (c, r) -> (c, r, d), of each matrix its own rows."""
    return t.gather(1, picked[:, :, None].expand(-1, -1, t.shape[2]))


def _by_full_matrix(t: Tensor, u: Tensor) -> Tensor:
    """nHSIC from the whole matrix, |U|^2 - 1e-5 m |L^-1 U|^2: (..., m, d) -> (...)."""
    ridge = RIDGE * len(u)
    factor = _factor(centred(gaussian(t)), ridge)
    inner = torch.linalg.solve_triangular(factor, u.to(factor.dtype), upper=False)
    return u.square().sum() - ridge * inner.double().square().sum((-2, -1))


def _factor(matrix: Tensor, ridge: float) -> Tensor:
    """L of L L^T = matrix + ridge I; nan where there is none.  The matrix may be overwritten."""
    matrix.diagonal(dim1=-2, dim2=-1).add_(ridge)
    factor, failed = torch.linalg.cholesky_ex(matrix)
    return factor.masked_fill_((failed != 0)[..., None, None], torch.nan)
