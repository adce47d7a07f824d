"""Squared distances of the pairs of samples that lie near each other, by panels.

A kernel sees a few widths far, and in a wide layer hardly a pair lies that close. A projection on a
few orthonormal axes never lengthens a distance: samples whose shadows lie too far apart are settled
for a hundredth of the work. The axes span a sample of the layer, so that shadows are nearly as far
apart as what casts them. A panel of rows and those of the later ones that may be near one of them
get their whole distance, |a|^2 + |b|^2 - 2 a.b, in double precision and block by block of columns.

That formula loses digits where a distance is small beside the norms, the more the further the layer
lies from the origin: so a typical sample is subtracted first, and a pair whose rounding (a bound
for any order of summation) may still exceed the ``resolution`` is computed anew, by differences.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

PANEL, BLOCK = 512, 512  # rows of a panel and columns of a block: PANEL x n and n x BLOCK doubles
AXES = 100  # of the shadows; up to twice as many, or as few as there are samples or neurons
PAIRS = 2**22  # doubles held at once where pairs are computed by differences
UNIT = 2.0**-53  # the relative rounding of one operation
SLACK = 1e-6  # of |a| + |b|: far more than what rounding does to the distance of two shadows


def near_pairs(
    t: Tensor, order: Tensor, *, reach: float, resolution: float
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yields rows (p,), others (m,) and their squared distances (p, m), float64.

    t: (n, d), finite.  order: the rows that count, each once; the quickest puts like beside like.
    Over the whole iteration every pair whose squared distance is at most ``reach`` appears once,
    within ``resolution``. What else appears is beyond the reach, or infinite: it has its turn
    elsewhere.
    """
    n, d = len(order), t.shape[1]
    centre, shadows, norms = _shadows(t, order)
    slack, lengths = SLACK * norms.sqrt(), shadows.square().sum(1)
    rounding = (2 * min(d, BLOCK) + 4 * math.ceil(d / BLOCK) + 16) * UNIT  # of |a|^2 + |b|^2
    for i in torch.arange(n, device=t.device).split(PANEL):
        j = i[0] + torch.arange(n - int(i[0]), device=t.device)
        apart = (lengths[i, None] + lengths[j]).addmm_(shadows[i], shadows[j].T, alpha=-2)
        near = apart <= (slack[i, None] + (slack[j] + math.sqrt(reach))).square_()
        near &= i[:, None] < j
        i, j = i[near.any(1)], j[near.any(0)]
        if not len(i):
            continue
        rows, others = order[i], order[j]
        squared = norms[i, None] + norms[j]
        unsure = rounding * squared
        for columns in _blocks(d):
            a, b = (_centred(t, of, columns, centre) for of in (rows, others))
            squared.addmm_(a, b.T, alpha=-2)
        squared.masked_fill_(i[:, None] >= j, math.inf)
        _recompute(t, rows, others, squared, (unsure > resolution) & (squared <= reach + unsure))
        yield rows, others, squared.clamp_(min=0)


def _shadows(t: Tensor, order: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The centre (d,), and by ``order`` the shadows (m, k) and squared norms (m,)."""
    sample = t[order[:: max(1, len(order) // AXES)]].double()
    centre = sample.median(0).values  # unlike a mean, it withstands a few outliers
    axes = torch.linalg.qr((sample - centre).T).Q  # (d, k)
    shadows, norms = axes.new_zeros(len(order), axes.shape[1]), axes.new_zeros(len(order))
    for columns in _blocks(t.shape[1]):
        part = _centred(t, order, columns, centre)
        shadows.addmm_(part, axes[columns])
        norms += part.square_().sum(1)
    return centre, shadows, norms


def _blocks(d: int) -> Iterator[slice]:
    return (slice(at, at + BLOCK) for at in range(0, d, BLOCK))


def _centred(t: Tensor, of: Tensor, columns: slice, centre: Tensor) -> Tensor:
    return t[of, columns].double().sub_(centre[columns])


def _recompute(t: Tensor, rows: Tensor, others: Tensor, squared: Tensor, which: Tensor) -> None:
    """In ``squared``, the pairs that ``which`` names, by differences."""
    for i, j in (part.T for part in which.nonzero().split(max(1, PAIRS // t.shape[1]))):
        squared[i, j] = t[rows[i]].double().sub_(t[others[j]]).square_().sum(1)
