"""IB-RAR: the information bottleneck as a regulariser around any other defence.

Xu, Perin and Picek (2023), arXiv 2302.10896, eq. 1 and 2:
minimise  L_base + alpha sum_l nHSIC(X, T_l) - beta sum_l nHSIC(Y, T_l),
with nHSIC of ``maths/hsic.py`` (sigma = 5, alpha = 0.008, beta = 0.08) over the batch, T_l the
outputs of the chosen ``layers``, and L_base what the ``base`` minimises: cross-entropy, PGD,
TRADES, MART. X are the clean images with their activations, as in the paper. ``information_of:
adversarial`` takes those that the base trains on, I(X + delta, T_l), which the paper tries and
drops: no worse against PGD, it says, and worse against other attacks.

The channel mask (eq. 3) cuts those channels of the last maps that tell least of the label by
nHSIC, ``masked_share`` of them: once, after training, by held-out training images, for good and at
test time, too. Snapshots, taken while it trains, have none.

Both terms depend on the size of the batch: the weights are meant for 100 images. nHSIC is a biased
stand-in for mutual information; "compression" and "relevance" are the paper's readings of it. The
layers are read where the base passes those images through the network. Where it does not (PGD on
adversarial images alone), or keeps its pass to itself (it has no ``terms_on``), there is one pass
more, and BatchNorm sees them once more.
"""

from collections.abc import Callable, Iterable
from typing import Literal, Self

import torch
from pydantic import model_validator
from torch import Generator, Tensor, nn

from robustinfo import catalogue
from robustinfo.batches import EVALUATION_BATCH
from robustinfo.faults import Fault
from robustinfo.maths import channel_mask
from robustinfo.maths.hsic import nhsic, projection
from robustinfo.maths.kernels import gaussian, gaussian_label, same_label
from robustinfo.models._mask import MASK
from robustinfo.models._network import Network
from robustinfo.settings import (
    ANY,
    Entry,
    Fraction01,
    Names,
    Number,
    Outline,
    PositiveNumber,
    Settings,
)

READS = "images"


class Config(Settings):
    base: Entry  # of defences/
    layers: Names | None = None  # of the model's probes; None: all of them
    compression: Number = 0.008  # alpha
    relevance: Number = 0.08  # beta
    sigma: PositiveNumber = 5.0
    label_kernel: Literal["linear", "gaussian"] = "linear"
    information_of: Literal["clean", "adversarial"] = "clean"  # images: X, and T_l of them
    masked_share: Fraction01 = 0.05  # of the channels of the last maps; 0: no mask

    @model_validator(mode="after")
    def base_is_another_defence(self) -> Self:
        """Its terms would have the same names, and one of both would be lost."""
        if self.base.get("method") == "ib_rar":
            raise ValueError("the `base` of ib_rar is another defence, not ib_rar")
        return self


def prepare(
    model: Network, batches: Callable[[], Iterable[tuple[Tensor, Tensor]]], *, config: Config
) -> tuple[nn.Module, dict[str, Tensor]]:
    """What the base prepares, if anything. Raises Fault without the layers, adversaries or mask."""
    _points(model, config)
    if finishes(config) and MASK not in dict(model.named_children()):
        raise Fault("the model has no channel mask; set `masked_share: 0`, or take another model")
    base = catalogue.module("defences", config.base)
    if config.information_of == "adversarial" and not hasattr(base, "adversaries"):
        raise Fault(
            f"ib_rar has `information_of: adversarial`, and its base {config.base['method']!r} "
            f"makes no adversaries; write `information_of: clean`, or a base that makes some: "
            f"{', '.join(_attacking())}"
        )
    if not hasattr(base, "prepare"):
        return model, {}
    return base.prepare(model, batches, config=catalogue.config("defences", config.base))


def outline(config: Config) -> Outline:
    """What its rows are called."""
    base = catalogue.module("defences", config.base)
    own = {"quantity": ANY}  # of a base that does not say
    if hasattr(base, "outline"):
        (own,) = base.outline(catalogue.config("defences", config.base))
    return [own, {"quantity": ("compression", "relevance")}]


def loss_terms(
    model: Network,
    x: Tensor,
    y: Tensor,
    *,
    config: Config,
    generator: Generator,
    state: dict[str, Tensor],
) -> dict[str, Tensor]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  The base's terms, and two without a unit."""
    points, base = _points(model, config), catalogue.module("defences", config.base)
    own, images, found = catalogue.config("defences", config.base), [x], []
    if hasattr(base, "adversaries"):
        images.append(base.adversaries(model, x, y, config=own, generator=generator))
    read = images[-1 if config.information_of == "adversarial" else 0]

    def forward(given: Tensor) -> Tensor:
        if given is not read:
            return model(given)
        found.append(model.observe(given, points))
        return found[0][0]

    if hasattr(base, "terms_on"):
        terms = base.terms_on(forward, *images, y, config=own)
    else:
        extra = {"state": state} if hasattr(base, "prepare") else {}
        terms = base.loss_terms(model, x, y, config=own, generator=generator, **extra)
    if not found:
        forward(read)
    logits, seen = found[0]
    of_input, of_label = _information(read, y, logits, seen, config)
    return terms | {
        "compression": config.compression * of_input,
        "relevance": -config.relevance * of_label,
    }


def finishes(config: Config) -> bool:
    """Whether there is a mask, and so a need of held-out images."""
    return config.masked_share > 0


@torch.no_grad()
def finish(model: Network, x: Tensor, y: Tensor, *, config: Config) -> None:
    """Cut the channels that tell least, in place.  x: (m, c, h, w), held out.  y: (m,) labels.

    The model is in eval mode.
    """
    found = [model.observe(part, (MASK,)) for part in x.split(EVALUATION_BATCH)]
    channels = len(model.get_submodule(MASK).passes)
    maps = torch.cat([seen[MASK] for _, seen in found]).view(len(x), channels, -1, 1)
    values = channel_mask.relevance(maps, y, classes=found[0][0].shape[1], sigma=config.sigma)
    model.get_submodule(MASK).passes.copy_(channel_mask.mask(values, config.masked_share))


def attack_term(
    model: Network, x: Tensor, y: Tensor, *, config: Config, state: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """Logits, and what an adaptive attacker climbs, a scalar: n times both terms, and the base's.

    X is what the attack has made so far. The nHSIC are those of the whole batch that is attacked,
    of any size: what becomes of an image depends on which others are attacked with it, and a batch
    of one image has no such term.
    """
    base = catalogue.module("defences", config.base)
    logits, seen = model.observe(x, _points(model, config))
    of_input, of_label = _information(x, y, logits, seen, config)
    term = len(y) * (config.compression * of_input - config.relevance * of_label)
    if not hasattr(base, "attack_term"):
        return logits, term
    own = catalogue.config("defences", config.base)
    logits, added = base.attack_term(model, x, y, config=own, state=state)
    return logits, added + term


def _points(model: Network, config: Config) -> tuple[str, ...]:
    """The layers whose nHSIC counts. Raises ValueError with the choices."""
    for layer in config.layers or ():
        if layer not in model.probes:
            raise Fault(f"no probe {layer!r}; `layers` of ib_rar: {', '.join(model.probes)}")
    points = model.probes if config.layers is None else config.layers
    if not points:
        raise Fault("ib_rar needs at least one layer: name `probes` in the model")
    return points


def _attacking() -> list[str]:
    """The defences that make adversaries."""
    names = catalogue.names("defences")
    return [n for n in names if hasattr(catalogue.module("defences", {"method": n}), "adversaries")]


def _information(
    x: Tensor, y: Tensor, logits: Tensor, seen: dict[str, Tensor], config: Config
) -> tuple[Tensor, Tensor]:
    """The sums over the layers of nHSIC(X, T_l) and nHSIC(Y, T_l), scalars."""
    labels = same_label(y)
    if config.label_kernel == "gaussian":
        labels = gaussian_label(y, logits.shape[1], config.sigma)
    of_input = projection(gaussian(x.flatten(1), config.sigma))
    # The kernels differ in width, their matrices do not: one factorisation for all layers.
    layers = projection(torch.stack([gaussian(t, config.sigma) for t in seen.values()])).sum(0)
    return nhsic(layers, of_input), nhsic(layers, projection(labels))
