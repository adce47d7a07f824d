"""PGD by an attacker who knows the defence: it also climbs the term that the defence adds.

Tramèr et al. (2020), arXiv 2002.08347: a defence has to be attacked through its own loss.
maximise CE(f(x'), y) + term_weight T(x') over |x' - x| <= epsilon, x' in [0, 1], where T is what
the defence adds to its loss; its file says how, in ``attack_objective``. ``term_weight: 0``, and a
defence without a term of its own, leave PGD on the cross-entropy.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks import _active, pgd
from robustinfo.settings import Number

ROLE = "adaptive"


class Config(pgd.Ascent):
    term_weight: Number


def perturb(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    config: Config,
    generator: Generator,
    objective: Callable[..., Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    objective: (x, y, term_weight=) -> what is maximised, a scalar; None is the cross-entropy.
    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    climbed = pgd.cross_entropy
    if objective is not None:
        climbed = partial(_climbed, partial(objective, term_weight=config.term_weight))
    return _active.search(
        pgd.method(config), model, x, y, climbed=climbed, config=config, generator=generator
    )


def _climbed(
    objective: Callable[..., Tensor], network: nn.Module, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        logits = network(x)
    return logits, objective(x, y)
