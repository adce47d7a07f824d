"""Square in linf, every image at its own pace: several of its next squares in one batch.

pyautoattack's Square (Andriushchenko et al., 2020, arXiv 1912.00049) draws one square a step for
all images, whichever of them kept the last one. So the squares are drawn beforehand, and an image
tries its next few in one batch: it keeps the first that lowers its margin, and goes on behind that
one. A square that does not change the image, because it has that colour already or is at the edge
of [0, 1], is not tried. The same squares are kept as in the package, except where rounding decides,
which depends on the batch.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from pyautoattack.square import SquareAttack
from torch import Tensor

from robustinfo.core.batches import quick_batch

AHEAD = 8  # squares of one image at once, at most: those behind one that is kept are in vain

# x (m, c, h, w), y (m,) -> margin (m,), below 0 where misclassified, and what is minimised, (m,).
Margins = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class Squares(NamedTuple):
    side: Tensor  # (q,)
    top: Tensor  # (q,)
    left: Tensor  # (q,)
    sign: Tensor  # (q, c)


def at_own_pace(attack: SquareAttack) -> None:
    """Make its runs in linf go several squares ahead."""
    attack.attack_single_run = partial(_run, attack)


@torch.no_grad()
def _run(attack: SquareAttack, x: Tensor, y: Tensor) -> tuple[None, Tensor]:
    """One run, as the package's restarts take it: (_, x_adv)."""
    ends = torch.stack([x - attack.eps, x + attack.eps]).clamp(0, 1)
    n, c, _, w = x.shape
    best = torch.where(attack.random_choice([n, c, 1, w]) > 0, ends[1], ends[0])
    left, smallest = attack.margin_and_loss(best, y)
    squares = _drawn(attack, x.shape[1:])
    following = torch.zeros_like(y)  # the next square of each image
    while len(rows := ((left > 0) & (following < attack.n_queries)).nonzero().squeeze(1)):
        ahead = max(1, min(AHEAD, quick_batch(x) // len(rows)))
        which = following[rows, None] + torch.arange(ahead, device=x.device)
        real = which < attack.n_queries
        images = _painted(squares, which.clamp(max=attack.n_queries - 1), best[rows], ends[:, rows])
        real &= (images != best[rows, None]).flatten(2).any(2)
        kept, margin, loss = _tried(attack.margin_and_loss, images, y[rows], real, smallest[rows])
        first = kept.int().argmax(1)
        following[rows] += torch.where(kept.any(1), first + 1, ahead)
        some = kept.any(1).nonzero().squeeze(1)
        at, first = rows[some], first[some]
        best[at], left[at] = images[some, first], margin[some, first]
        smallest[at] = torch.minimum(smallest[at], loss[some, first])
    return None, best


def _tried(
    margins: Margins, images: Tensor, y: Tensor, real: Tensor, smallest: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of images (m, k, c, h, w), (m, k) each: which are to be kept, margin, what is minimised."""
    margin, loss = torch.full((2, *real.shape), torch.inf, dtype=smallest.dtype, device=y.device)
    if real.any():
        own = y[:, None].expand_as(real)[real]
        margin[real], loss[real] = margins(images[real], own)
    return (loss < smallest[:, None]) | (margin <= 0), margin, loss


def _drawn(attack: SquareAttack, shape: torch.Size) -> Squares:
    """All of a run, by the package's own draws, in its own order."""
    c, h, w = shape
    found = []
    for query in range(attack.n_queries):
        size = min(max(round(math.sqrt(attack.p_selection(query) * h * w)), 1), h, w)
        corner = int(attack.random_int(0, h - size)), int(attack.random_int(0, w - size))
        found.append((size, *corner, attack.random_choice([c])))
    *numbers, signs = zip(*found, strict=True)
    side, top, left = (torch.tensor(one, device=signs[0].device) for one in numbers)
    return Squares(side, top, left, torch.stack(signs))


def _painted(squares: Squares, which: Tensor, best: Tensor, ends: Tensor) -> Tensor:
    """The images best, (m, c, h, w), each with its squares ``which``, (m, k): (m, k, c, h, w).

    ends: (2, m, c, h, w) the darkest and the brightest that they may be.
    """
    side, top, left, sign = (one[which] for one in squares)

    def covered(start: Tensor, size: int) -> Tensor:
        pixel = torch.arange(size, device=which.device)
        return (pixel >= start[..., None]) & (pixel < (start + side)[..., None])

    mask = covered(top, best.shape[2])[..., None] & covered(left, best.shape[3])[:, :, None]
    colour = torch.where(sign[..., None, None] > 0, ends[1, :, None], ends[0, :, None])
    return torch.where(mask[:, :, None], colour, best[:, None])
