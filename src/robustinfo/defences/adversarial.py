"""Adversarial training by PGD, alone or mixed with clean images (PAT).

Madry et al. (2018), arXiv 1706.06083, eq. 2.1, and the mix of Goodfellow et al. (2015), arXiv
1412.6572:  minimise  clean_share L(f(x), y) + (1 - clean_share) L(f(x'), y),  x' = PGD(x).
With clean_share = 0 this is the min-max training of Madry et al. Adversaries are made in eval mode.
"""

from torch import Generator, Tensor, nn

from robustinfo import catalogue
from robustinfo.attacks import pgd
from robustinfo.settings import Entry, Fraction01, Settings

READS = "images"


class Config(Settings):
    clean_share: Fraction01 = 0.0
    loss: Entry  # of losses/
    attack: pgd.Config  # the inner maximisation


def loss_terms(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> dict[str, Tensor]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Every term is a scalar in nats."""
    loss = catalogue.get("losses", config.loss)
    x_adv = pgd.craft(model, x, y, config=config.attack, generator=generator)
    terms = {"adversarial": (1 - config.clean_share) * loss(model(x_adv), y)}
    if config.clean_share:
        terms["clean"] = config.clean_share * loss(model(x), y)
    return terms
