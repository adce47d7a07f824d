"""The classes that attacked images are assigned to, and whether pairs of classes swap images.

Xu, Perin and Picek (2023), arXiv 2302.10896, table IV: of an attack's stored examples, the share of
each class's images that is taken for each other class. Every image counts by what the network says
of its stored example, also one that is misclassified when clean, or that the attack did not turn:
its example is the image itself. ``reciprocity`` is Spearman's correlation, over all pairs of
classes, of how often one is taken for the other with how often the other is taken for it: near 1
where cars become trucks as often as trucks become cars. Pairs that share a class are not
independent, so its interval over seeds is all that counts.
"""

import torch
from scipy.stats import spearmanr
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.core.batches import EVALUATION_BATCH
from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import ANY, Outline, Settings


class Config(Settings):
    examples: str  # an attack of the study


def outline(config: Config) -> Outline:
    """The names of its rows.

    as_*  of the images of class *, the fraction taken for the class that is the level
    reciprocity  Spearman's correlation, over pairs of classes, of both ways to be mistaken
    """
    return [{"quantity": ("as_*",), "level": ANY}, {"quantity": ("reciprocity",)}]


@torch.no_grad()
def diagnose(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    config: Config,
    generator: Generator,
    examples: dict[str, Tensor],
) -> list[Measurement]:
    """``as_j`` at level i: the fraction of class i.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    logits = torch.cat([model(part) for part in examples["x_adv"].split(EVALUATION_BATCH)])
    shares = tendency(y, logits.argmax(1), logits.shape[1])
    measurements = [
        Measurement(f"as_{other}", shares[true_class, other].item(), level=float(true_class))
        for true_class in range(len(shares))
        for other in range(len(shares))
        if true_class != other
    ]
    swaps = reciprocity(shares)
    return measurements if swaps is None else [*measurements, Measurement("reciprocity", swaps)]


def tendency(y: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """The fraction of class i's images that is assigned to j, (K, K) float64; (i, i): correct."""
    true_class, taken = (F.one_hot(one, classes).double() for one in (y, predicted))
    return true_class.T @ taken / true_class.sum(0)[:, None].clamp(min=1)


def reciprocity(shares: Tensor) -> float | None:
    """Spearman's correlation of shares (K, K) above the diagonal with their mirror images.

    None where it is undefined: with fewer than three pairs, or where all on one side are equal.
    """
    above, below = (one.triu(1)[torch.ones_like(one).triu(1).bool()] for one in (shares, shares.T))
    if len(above) < 3 or above.unique().numel() == 1 or below.unique().numel() == 1:
        return None
    return float(spearmanr(above.cpu(), below.cpu()).statistic)
