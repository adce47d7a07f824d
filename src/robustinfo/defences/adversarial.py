"""Adversarial training by PGD, alone or mixed with clean images (PAT).

Madry et al. (2018), arXiv 1706.06083, eq. 2.1, and the mix of Goodfellow et al. (2015), arXiv
1412.6572:  minimise  clean_share L(f(x), y) + (1 - clean_share) max L(f(x'), y),  x' = PGD(x).
With clean_share = 0 this is the min-max training of Madry et al. Adversaries are made in eval mode.

PGD maximises L itself, whichever loss that is, unless the attack names another ``objective``. A
loss with an optimum short of certainty, as entropy_maximised and label_smoothed, grows to both
sides of it: where an image is predicted with more certainty, the ascent may raise it further, and
find no adversarial image. ``cross_entropy`` always leads away from the label.
"""

from collections.abc import Callable
from typing import Literal

from torch import Generator, Tensor, nn

from robustinfo.attacks import pgd
from robustinfo.attacks._fused_batchnorm import fold_for_training
from robustinfo.core import registry
from robustinfo.core.settings import Entry, Fraction01, Outline, Settings

READS = "images"


class Inner(pgd.Config):
    # loss: L itself
    objective: Literal["loss", "cross_entropy", "margin"] = "loss"  # type: ignore[assignment]
    precision: Literal["float32"] = "float32"


class Config(Settings):
    clean_share: Fraction01 = 0.0  # weight of the clean images; 0: adversarial ones alone
    loss: Entry  # of losses/
    attack: Inner  # the inner maximisation


def outline(config: Config) -> Outline:
    """The names of its rows.

    adversarial  the loss on the adversarial images, by its share
    clean  the loss on the clean images, by its share
    """
    return [{"quantity": ("adversarial", *(("clean",) if config.clean_share else ()))}]


def loss_terms(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> dict[str, Tensor]:
    """The loss terms, scalars in nats.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    x_adv = adversaries(model, x, y, config=config, generator=generator)
    return terms_on(model, x, x_adv, y, config=config)


def adversaries(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """The last iterate of the ascent for every image, successful or not. Like x."""
    settings = config.attack
    if settings.objective == "loss" and config.loss["method"] == "cross_entropy":
        settings = settings.model_copy(update={"objective": "cross_entropy"})
    copy = fold_for_training(model, x)
    if settings.objective != "loss":
        return pgd.craft(copy, x, y, config=settings, generator=generator)
    loss = registry.get("losses", config.loss)

    def summed_loss(network: nn.Module, at: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = network(at)
        # The sum over the images: the slopes of a mean would fade as the batch grows.
        return logits, len(labels) * loss(logits, labels)

    return pgd.craft(copy, x, y, config=settings, generator=generator, loss=summed_loss)


def terms_on(
    forward: Callable[[Tensor], Tensor], x: Tensor, x_adv: Tensor, y: Tensor, *, config: Config
) -> dict[str, Tensor]:
    """The loss terms of given adversarial images.  forward: images -> logits (n, K)."""
    loss = registry.get("losses", config.loss)
    terms = {"adversarial": (1 - config.clean_share) * loss(forward(x_adv), y)}
    if config.clean_share:
        terms["clean"] = config.clean_share * loss(forward(x), y)
    return terms
