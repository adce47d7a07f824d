"""Adversarial training that also asks for the same answer with and without the perturbation.

The code of Xu, Perin and Picek (2023), arXiv 2302.10896, runs this as TRADES, with weight = 0.5:
    minimise  L(f(x'), y) + weight KL(f(x) || f(x')),   x' = PGD(x) on the cross-entropy,
L the cross-entropy. It is not TRADES (trades.py, whose weight is 6): the label is learned from x'
instead of x, and x' does not climb the divergence. Adversaries are made in eval mode.
"""

from collections.abc import Callable

from torch import Generator, Tensor, nn

from robustinfo.attacks import pgd
from robustinfo.core import registry
from robustinfo.core.settings import Entry, Number, Outline, Settings
from robustinfo.defences._inner import adversaries
from robustinfo.maths.divergence import kl_of_softmax

READS = "images"


class Config(Settings):
    loss: Entry  # of losses/, on the adversarial images
    weight: Number = 0.5  # of the divergence
    attack: pgd.Config  # the inner maximisation


def outline(config: Config) -> Outline:
    """The names of its rows.

    adversarial  the loss on the adversarial images
    divergence  how far the answers with and without the perturbation differ, by its weight
    """
    return [{"quantity": ("adversarial", "divergence")}]


def loss_terms(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> dict[str, Tensor]:
    """The loss terms, scalars in nats.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    x_adv = adversaries(model, x, y, config=config, generator=generator)
    return terms_on(model, x, x_adv, y, config=config)


def terms_on(
    forward: Callable[[Tensor], Tensor], x: Tensor, x_adv: Tensor, y: Tensor, *, config: Config
) -> dict[str, Tensor]:
    """The loss terms of given adversarial images.  forward: images -> logits (n, K)."""
    logits, adversarial_logits = forward(x), forward(x_adv)
    return {
        "adversarial": registry.get("losses", config.loss)(adversarial_logits, y),
        "divergence": config.weight * kl_of_softmax(logits, adversarial_logits).mean(),
    }
