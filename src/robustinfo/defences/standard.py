"""Standard training on clean images with any loss: pretraining, and the undefended twin."""

from collections.abc import Callable

from torch import Generator, Tensor, nn

from robustinfo.core import registry
from robustinfo.core.settings import Entry, Outline, Settings

SAME_STEPS = True  # no step depends on a value or is random: see training/step.py


class Config(Settings):
    loss: Entry  # of losses/


def outline(config: Config) -> Outline:
    """The names of its rows.

    clean  the loss on the clean images
    """
    return [{"quantity": ("clean",)}]


def loss_terms(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> dict[str, Tensor]:
    """The loss terms, scalars in nats.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    return terms_on(model, x, y, config=config)


def terms_on(
    forward: Callable[[Tensor], Tensor], x: Tensor, y: Tensor, *, config: Config
) -> dict[str, Tensor]:
    """The loss terms.  forward: (n, c, h, w) -> logits (n, K)."""
    return {"clean": registry.get("losses", config.loss)(forward(x), y)}
