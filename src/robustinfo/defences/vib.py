"""VIB, the variational information bottleneck: the code of an image may carry few nats about it.

Alemi et al. (2017), arXiv 1612.00410, eq. 17, with their beta = 1e-3 (table 1, MNIST):
    minimise  E[ L(f(z), y) ] + beta KL(N(m(x), s(x)^2) || N(0, I)),   z ~ N(m(x), s(x)^2),
with one z per image and step; the model draws it, see models/bottleneck.py. The second term is an
upper bound of I(Z; X). The authors count both in bits, which leaves beta the same.

Known bias: the bound is loose where the codes of all images together are no standard Gaussian.
"""

from torch import Generator, Tensor

from robustinfo.core import registry
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Entry, Number, Outline, Settings
from robustinfo.maths.divergence import kl_from_standard_normal
from robustinfo.models._network import Network
from robustinfo.models.bottleneck import CODE, gaussian


class Config(Settings):
    loss: Entry  # of losses/
    weight: Number = 1e-3  # of the rate: beta


def outline(config: Config) -> Outline:
    """The names of its rows.

    clean  the loss on the clean images
    rate  the nats that the code carries of an image at most, by its weight
    """
    return [
        {
            "quantity": (
                "clean",
                "rate",
            )
        }
    ]


def loss_terms(
    model: Network, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> dict[str, Tensor]:
    """The loss terms, scalars in nats.  x: (n, c, h, w) in [0, 1].  y: (n,) labels.

    Raises UserError if the model has no code.
    """
    loss = registry.get("losses", config.loss)
    logits, rate = _logits_and_rate(model, x)
    return {"clean": loss(logits, y), "rate": config.weight * rate.mean()}


def attack_term(
    model: Network, x: Tensor, y: Tensor, *, config: Config, state: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """Logits (n, K), and the weighted rates, summed over the images, for adaptive attacks."""
    logits, rate = _logits_and_rate(model, x)
    return logits, config.weight * rate.sum()


def _logits_and_rate(model: Network, x: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (n, K), and the divergence of every image's code from the prior, (n,) in nats."""
    if CODE not in dict(model.named_children()):
        raise UserError(
            "vib needs a model with a Gaussian code; write {method: bottleneck, network: {...}} "
            "among the models"
        )
    logits, outputs = model.observe(x, (CODE,))
    return logits, kl_from_standard_normal(*gaussian(outputs[CODE]))
