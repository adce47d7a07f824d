"""Several networks of one kind, each with its own first weights, that predict together.

They predict with the mean of their probabilities, as the ensembles of Pang et al. (2019), arXiv
1901.08846, do. What comes out is its logarithm, never that of a 0: attacks on logits then have
gradients where every member is sure, and the most likely class is that of the mean.

A layer of a member is called ``members.0.`` and its name in the network: ``members.0.fc1``. The
members are computed one after another.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from robustinfo.core import registry
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Entry, Names, Settings
from robustinfo.models._network import INPUT, SOFTMAX, Network
from robustinfo.models.bottleneck import Mixture

MEMBERS = "members"


class Config(Settings):
    network: Entry  # of models/
    members: PositiveInt = 3  # networks, averaged
    probes: Names | None = None  # None: those of every member
    activations: Names | None = None  # None: those of every member, and the mean's for the softmax


class Members(nn.ModuleList):
    """(n, c, h, w) in [0, 1] -> the logits of every member, (n, members, K), at least float32."""

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        logits = torch.stack([member(x) for member in self], 1)
        # In bfloat16 the logarithm of the mean has three digits, and autocast leaves it there.
        return logits.to(torch.promote_types(logits.dtype, torch.float32))


def build(image_shape: tuple[int, int, int], num_classes: int, *, config: Config) -> Network:
    """An untrained classifier, (n, c, h, w) in [0, 1] -> (n, K) log-probabilities.

    image_shape: (c, h, w). Raises ValueError if the network does.
    """
    get_network = registry.get("models", config.network)
    networks = [get_network(image_shape, num_classes) for _ in range(config.members)]
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        {MEMBERS: Members(networks)}
    )  # (n, members, K)
    layers["mixture"] = Mixture()  # (n, K)
    probes = config.probes or [*_member_points(network.probes for network in networks)]
    activations = config.activations or [
        *_member_points(network.activations for network in networks)
    ]
    return Network(layers, probes, activations)


def member_logits(model: Network, x: Tensor) -> tuple[Tensor, Tensor]:
    """The ensemble's logits, (n, K), and its members' logits, (n, members, K), in one pass.

    Raises UserError if the model is no ensemble.
    """
    if MEMBERS not in dict(model.named_children()):
        raise UserError(
            "the model is no ensemble; write {method: ensemble, network: {...}} among the models"
        )
    prediction, outputs = model.observe(x, (MEMBERS,))
    return prediction, outputs[MEMBERS].unflatten(1, (-1, prediction.shape[1]))


def _member_points(members: Iterator[Sequence[str]]) -> Iterator[str]:
    """The points of all members by their names in the ensemble, whose ends are its own."""
    for number, points in enumerate(members):
        for point in points:
            yield point if point in (INPUT, SOFTMAX) else f"{MEMBERS}.{number}.{point}"
