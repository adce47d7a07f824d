"""IB-RAR: the information bottleneck as a regulariser around any other defence.

Xu, Perin and Picek (2023), arXiv 2302.10896, eq. 1 and 2:
minimise  L_base + alpha sum_l nHSIC(X, T_l) - beta sum_l nHSIC(Y, T_l),
with nHSIC of ``maths/hsic.py`` (sigma = 5, alpha = 0.008, beta = 0.08) over the batch, T_l the
outputs of the chosen ``layers``, and L_base what the ``base`` minimises: cross-entropy, PGD,
TRADES, MART. ``information_of`` chooses the images:
    clean        X and T_l of the clean images, I(X, T_l(X)): eq. 2 as it is printed.
    adversarial  both of those that the base trains on, I(X + delta, T_l(X + delta)), which the
                 paper tries and drops: no worse against PGD, it says, and worse against others.
    adversarial_activations
                 X clean, and T_l of every pass of the base: I(X, T_l(X + delta)) around PGD; around
                 TRADES and MART, which look at clean images too, I(X, T_l(X)) besides. The default
                 of the published code, whose TRADES and MART take the gaussian ``label_kernel``.

The channel mask (eq. 3) cuts those channels of the last maps that tell least of the label by nHSIC;
``_cutting.py`` has its three readings. T_l of the layer that the mask reads is the masked one.
Both terms depend on the size of the batch: the weights are meant for 100 images. nHSIC is a biased
stand-in for mutual information; "compression" and "relevance" are the paper's readings of it. The
layers are read where the base passes those images through the network. Where it does not (PGD on
adversarial images alone, or without ``terms_on``), one pass more is made, which BatchNorm sees.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal, Self

import torch
from pydantic import model_validator
from torch import Generator, Tensor, nn

from robustinfo.core import registry
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Entry, Names, Number, Outline
from robustinfo.defences import _cutting
from robustinfo.maths.hsic import nhsic, projection
from robustinfo.maths.kernels import gaussian, gaussian_label, same_label
from robustinfo.models._mask import has_mask, masked_points
from robustinfo.models._network import Network

READS = "images"


class Config(_cutting.Config):
    base: Entry  # of defences/
    layers: Names | None = None  # of the model's probes; None: all of them
    compression: Number = 0.008  # weight of nHSIC(X, T): alpha
    relevance: Number = 0.08  # weight of nHSIC(Y, T): beta
    label_kernel: Literal["linear", "gaussian"] = "linear"  # of the labels
    # images and activations that the terms are computed of
    information_of: Literal["clean", "adversarial", "adversarial_activations"] = "clean"

    @model_validator(mode="after")
    def base_is_another_defence(self) -> Self:
        """Its terms would have the same names, and one of both would be lost."""
        if self.base.get("method") == "ib_rar":
            raise ValueError("the `base` of ib_rar is another defence, not ib_rar")
        return self


finishes, finish = _cutting.is_permanent, _cutting.cut


def prepare(
    model: Network, batches: Callable[[], Iterable[tuple[Tensor, Tensor]]], *, config: Config
) -> tuple[nn.Module, dict[str, Tensor]]:
    """``prepare`` of the base. Raises UserError without the layers, adversaries or mask."""
    _layers_of(model, config)
    if _cutting.is_active(config) and not has_mask(model):
        raise UserError("the model has no channel mask; set `masked_share: 0`, or another model")
    if config.information_of != "clean" and _base_hook(config, "adversaries") is None:
        raise UserError(
            f"ib_rar has `information_of: {config.information_of}`, and its base "
            f"{config.base['method']!r} makes no adversaries; write `information_of: clean`, or a "
            f"base that makes some: {', '.join(_with_adversaries())}"
        )
    prepare = _base_hook(config, "prepare")
    return prepare(model, batches) if prepare else (model, {})


def outline(config: Config) -> Outline:
    """The names of its rows.

    *  a term of the base
    compression, relevance  the sum over the layers of nHSIC(X, T), nHSIC(Y, T), by its weight
    """
    base = registry.module("defences", config.base)
    (base_rows,) = base.outline(registry.config("defences", config.base))
    return [base_rows, {"quantity": ("compression", "relevance")}]


def loss_terms(
    model: Network,
    x: Tensor,
    y: Tensor,
    *,
    config: Config,
    generator: Generator,
    state: dict[str, Tensor],
) -> dict[str, Tensor]:
    """The base's loss terms, and two without a unit.  x: (n, c, h, w) in [0, 1].  y: (n,)."""
    points, images, observed = _layers_of(model, config), [x], []
    if adversaries := _base_hook(config, "adversaries"):
        images.append(adversaries(model, x, y, generator=generator))
    every = {"clean": images[:1], "adversarial": images[-1:]}
    observed_images = every.get(config.information_of, images)  # whose layers are read

    def forward(batch: Tensor) -> Tensor:
        if not any(batch is one for one in observed_images):
            return model(batch)
        observed.append(model.observe(batch, points))
        return observed[-1][0]

    with _cutting.masked_step(model, y, config=config, generator=generator):
        if terms_on := _base_hook(config, "terms_on"):
            terms = terms_on(forward, *images, y)
        else:
            extra = {"state": state} if _base_hook(config, "prepare") else {}
            terms = registry.get("defences", config.base)(model, x, y, generator=generator, **extra)
        if not observed:
            forward(observed_images[-1])
    layers = [t for _, outputs in observed for t in outputs.values()]
    inputs = images[-1] if config.information_of == "adversarial" else x
    of_input, of_label = _information(inputs, y, observed[0][0].shape[1], layers, config)
    compression, relevance = config.compression * of_input, -config.relevance * of_label
    return terms | {"compression": compression, "relevance": relevance}


def attack_term(
    model: Network, x: Tensor, y: Tensor, *, config: Config, state: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """Logits (n, K), and n times both terms plus the base's, a scalar, for adaptive attacks.

    X is the attack's current iterate. nHSIC is that of the whole attacked batch, of any size: an
    image's attack depends on the others in its batch, and a batch of one image has no such term.
    """
    logits, outputs = model.observe(x, _layers_of(model, config))
    of_input, of_label = _information(x, y, logits.shape[1], [*outputs.values()], config)
    term = len(y) * (config.compression * of_input - config.relevance * of_label)
    if base_term := _base_hook(config, "attack_term"):
        logits, added = base_term(model, x, y, state=state)
        term = added + term
    return logits, term


def _layers_of(model: Network, config: Config) -> tuple[str, ...]:
    """The layers T_l of both terms. Raises ValueError with the choices."""
    for layer in config.layers or ():
        if layer not in model.probes:
            raise UserError(f"no probe {layer!r}; `layers` of ib_rar: {', '.join(model.probes)}")
    points = model.probes if config.layers is None else config.layers
    if not points:
        raise UserError("ib_rar needs at least one layer: name `probes` in the model")
    return masked_points(model, points)


def _with_adversaries() -> list[str]:
    """The defences that have ``adversaries``."""
    names = registry.names("defences")
    return [n for n in names if registry.hook("defences", {"method": n}, "adversaries")]


def _base_hook(config: Config, name: str) -> Callable | None:
    """A hook of the base, its settings bound; None: the base has none."""
    hook = registry.hook("defences", config.base, name)
    return hook and partial(hook, config=registry.config("defences", config.base))


def _information(
    x: Tensor, y: Tensor, classes: int, layers: list[Tensor], config: Config
) -> tuple[Tensor, Tensor]:
    """The sums over the layers, (n, d) each, of nHSIC(X, T_l) and nHSIC(Y, T_l), scalars."""
    labels = same_label(y)
    if config.label_kernel == "gaussian":
        labels = gaussian_label(y, classes)
    of_input = projection(gaussian(x.flatten(1)))
    # The kernels differ in width, their matrices do not: one factorisation for all layers.
    of_layers = projection(torch.stack([gaussian(t) for t in layers])).sum(0)
    return nhsic(of_layers, of_input), nhsic(of_layers, projection(labels))
