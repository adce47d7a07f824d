"""TRADES: a penalty on the change of the prediction under perturbation, whatever the label.

Zhang et al. (2019), arXiv 1901.08573, algorithm 1, with their weight beta = 1 / lambda = 6:
    minimise  L(f(x), y) + beta max KL(f(x) || f(x')),   |x' - x| <= epsilon, x' in [0, 1],
L the cross-entropy in the paper. x' maximises the same divergence, by the steps of BIM, in eval
mode and from x + 0.001 N(0, I), since at x itself the divergence is least and its gradient zero.
Some later papers print KL(f(x') || f(x)), which is another number.

Two details are ours: the start is cut to [0, 1], and l2 takes normalised gradient steps, where the
authors' code runs an optimiser.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks import bim, pgd
from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._fused_batchnorm import fold_for_training
from robustinfo.core import registry
from robustinfo.core.settings import Entry, Number, Outline, Settings
from robustinfo.maths.divergence import kl_of_softmax

READS = "images"
NOISE = 0.001  # standard deviation of the start, in [0, 1] pixels


class Config(Settings):
    loss: Entry  # of losses/, on the clean images
    weight: Number = 6.0  # of the divergence: beta
    attack: bim.Config  # the inner maximisation


def outline(config: Config) -> Outline:
    """The names of its rows.

    clean  the loss on the clean images
    divergence  the largest divergence that a perturbation brings, by its weight
    """
    return [{"quantity": ("clean", *(("divergence",) if config.weight else ()))}]


def loss_terms(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> dict[str, Tensor]:
    """The loss terms, scalars in nats.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    x_adv = adversaries(model, x, y, config=config, generator=generator)
    return terms_on(model, x, x_adv, y, config=config)


def adversaries(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """The last iterate of the ascent of KL(f(x) || f(x')). Like x; the labels y are not used.

    With a weight of 0 it is x itself.
    """
    if not config.weight:
        return x
    copy = fold_for_training(model, x)
    with frozen(copy), torch.no_grad():
        clean = copy(x)
    options: dict[str, Any] = {"loss": partial(_divergence, clean), "starting_point": _noisy_start}
    return pgd.craft(copy, x, y, config=bim.as_pgd(config.attack), generator=generator, **options)


def terms_on(
    forward: Callable[[Tensor], Tensor], x: Tensor, x_adv: Tensor, y: Tensor, *, config: Config
) -> dict[str, Tensor]:
    """The loss terms of given adversarial images.  forward: images -> logits (n, K)."""
    logits = forward(x)
    terms = {"clean": registry.get("losses", config.loss)(logits, y)}
    if config.weight:
        terms["divergence"] = config.weight * kl_of_softmax(logits, forward(x_adv)).mean()
    return terms


def _noisy_start(x: Tensor, _: pgd.Ascent) -> Tensor:
    return (x + NOISE * torch.randn_like(x)).clamp(0, 1)


def _divergence(
    clean: Tensor, network: nn.Module, x_adv: Tensor, _: Tensor
) -> tuple[Tensor, Tensor]:
    logits = network(x_adv)
    return logits, kl_of_softmax(clean, logits).sum()
