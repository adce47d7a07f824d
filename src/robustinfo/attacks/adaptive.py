"""PGD by an attacker who knows the defence: it also climbs the term that the defence adds.

Tramèr et al. (2020), arXiv 2002.08347: a defence has to be attacked through its own loss.
maximise CE(f(x'), y) + term_weight T(x') over |x' - x| <= epsilon, x' in [0, 1], where T is what
the defence adds to its loss, ``attack_term`` in its file. ``term_weight: 0``, and a defence without
a term of its own, leave PGD on the cross-entropy.
"""

from collections.abc import Callable
from functools import partial

from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks import _active, pgd
from robustinfo.settings import Number

ROLE = "adaptive"
Term = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class Config(pgd.Ascent):
    term_weight: Number


def perturb(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    config: Config,
    generator: Generator,
    term: Term | None = None,
) -> tuple[Tensor, Tensor]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    term: (x, y) -> logits (n, K), and T summed over the images, a scalar; None: there is no T.
    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    climbed = pgd.cross_entropy
    if term is not None:
        climbed = partial(_climbed, term, config.term_weight)
    return _active.search(
        pgd.method(config), model, x, y, climbed=climbed, config=config, generator=generator
    )


def objective(term: Term, weight: float, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (n, K), and what is maximised, summed over the images, a scalar."""
    logits, value = term(x, y)
    return logits, F.cross_entropy(logits, y, reduction="sum") + weight * value


def _climbed(
    term: Term, weight: float, _: nn.Module, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    return objective(term, weight, x, y)  # of the defended network itself, not of a folded copy
