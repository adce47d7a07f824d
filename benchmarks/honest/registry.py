"""Eighty honest networks: thirty to fix a threshold on ("fit"), thirty to try it on ("held_out"),
and twenty that came later ("more"): of 4 bits, ensembles, and of CIFAR-10.

``load`` trains a network once and keeps its weights. Nothing in any of them hides a gradient: what
a check accuses here, it accuses wrongly.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.honest.fitting import images
from benchmarks.honest.kinds import KINDS, Case
from robustinfo.core.batches import to_float
from robustinfo.core.errors import UserError
from robustinfo.core.sealed import seal, unseal
from robustinfo.datasets._prepared import data_root

FIT = [
    ("lenet", "digits", "linf", 0.05, 0), ("lenet_to_the_end", "digits", "linf", 0.1, 0),
    ("lenet_pgd", "digits", "linf", 0.15, 0), ("cnn_certified", "mnist", "linf", 0.1, 0),
    ("fc_sigmoid", "mnist", "linf", 0.05, 0), ("fc", "mnist", "linf", 0.05, 0),
    ("linear", "digits", "linf", 0.05, 0), ("lenet_trades", "digits", "linf", 0.1, 0),
    ("fc_lipschitz", "digits", "linf", 0.1, 0), ("lenet_pruned", "digits", "linf", 0.05, 0),
    ("lenet_smoothed", "digits", "linf", 0.05, 0), ("lenet_tanh", "digits", "l2", 0.75, 0),
    ("cnn_dropout", "digits", "linf", 0.05, 0), ("cnn_batch_norm", "mnist", "linf", 0.05, 0),
    ("resnet", "digits", "linf", 0.05, 0), ("lenet_unsure", "digits", "linf", 0.05, 0),
    ("one_convolution", "mnist", "linf", 0.05, 0), ("cnn_pgd", "mnist", "linf", 0.15, 0),
    ("cnn_certified_narrow", "mnist", "linf", 0.2, 0), ("fc_to_the_end", "digits", "linf", 0.1, 0),
    ("lenet_to_the_end", "mnist", "linf", 0.1, 0), ("cnn", "mnist", "linf", 0.1, 0),
    ("fc_tanh", "digits", "linf", 0.1, 0), ("fc_pgd", "mnist", "linf", 0.1, 0),
    ("lenet_pgd", "digits", "l2", 1.5, 0), ("cnn", "digits", "l2", 1.0, 0),
    ("cnn_pooled", "mnist", "l2", 1.0, 0), ("fc_sigmoid", "digits", "linf", 0.1, 0),
    ("cnn_certified", "digits", "linf", 0.1, 0), ("fc_lipschitz_pgd", "mnist", "linf", 0.1, 0),
]  # fmt: skip
HELD_OUT = [
    ("lenet", "digits", "linf", 0.1, 1), ("lenet_to_the_end", "digits", "linf", 0.05, 1),
    ("lenet_pgd", "digits", "linf", 0.1, 1), ("cnn_certified", "mnist", "linf", 0.3, 1),
    ("fc_sigmoid", "mnist", "linf", 0.1, 1), ("fc", "mnist", "linf", 0.1, 1),
    ("linear", "mnist", "linf", 0.05, 1), ("lenet_trades", "mnist", "linf", 0.15, 1),
    ("fc_lipschitz", "mnist", "linf", 0.05, 1), ("fc_pruned", "mnist", "linf", 0.05, 1),
    ("lenet_smoothed", "mnist", "linf", 0.1, 1), ("lenet_tanh", "mnist", "linf", 0.05, 1),
    ("cnn_dropout", "mnist", "linf", 0.1, 1), ("cnn_batch_norm", "digits", "linf", 0.1, 1),
    ("resnet", "mnist", "linf", 0.05, 1), ("lenet_unsure", "mnist", "linf", 0.1, 1),
    ("one_convolution", "digits", "linf", 0.1, 1), ("cnn_pgd", "digits", "linf", 0.15, 1),
    ("cnn_certified_narrow", "mnist", "linf", 0.1, 1), ("fc_to_the_end", "mnist", "linf", 0.05, 1),
    ("cnn_to_the_end", "mnist", "linf", 0.1, 1), ("cnn_gelu", "digits", "linf", 0.05, 1),
    ("fc_tanh", "mnist", "linf", 0.05, 1), ("fc_pgd", "digits", "linf", 0.1, 1),
    ("lenet_pgd", "mnist", "l2", 1.5, 1), ("cnn_pooled", "digits", "l2", 0.75, 1),
    ("cnn_trades", "digits", "l2", 1.0, 1), ("fc_narrow", "digits", "linf", 0.05, 1),
    ("cnn_certified", "digits", "linf", 0.2, 1), ("fc_sigmoid", "digits", "l2", 1.0, 1),
]  # fmt: skip
MORE = [
    ("lenet_quantised", "digits", "linf", 0.05, 0), ("cnn_quantised", "digits", "linf", 0.05, 1),
    ("cnn_quantised_pgd", "digits", "linf", 0.15, 0), ("fc_quantised", "digits", "linf", 0.05, 0),
    ("fc_quantised", "mnist", "linf", 0.05, 0), ("cnn_quantised", "mnist", "l2", 1.0, 0),
    ("ensemble", "digits", "linf", 0.05, 0), ("ensemble", "mnist", "linf", 0.05, 1),
    ("ensemble_pgd", "digits", "linf", 0.15, 0),
    ("ensemble_to_the_end", "digits", "linf", 0.1, 0),
    ("ensemble_probabilities", "digits", "linf", 0.05, 0),
    ("colour_cnn", "cifar10", "linf", 0.01, 0), ("colour_cnn", "cifar10", "l2", 0.25, 1),
    ("colour_cnn_to_the_end", "cifar10", "linf", 0.01, 0),
    ("colour_cnn_pgd", "cifar10", "linf", 0.03, 0),
    ("colour_cnn_trades", "cifar10", "linf", 0.03, 1),
    ("colour_cnn_certified", "cifar10", "linf", 0.008, 0),
    ("colour_quantised", "cifar10", "linf", 0.01, 0),
    ("colour_ensemble", "cifar10", "linf", 0.01, 0), ("colour_resnet", "cifar10", "linf", 0.01, 0),
]  # fmt: skip
GROUPS = {"fit": FIT, "held_out": HELD_OUT, "more": MORE}
NETWORKS = [Case(group, *row) for group, rows in GROUPS.items() for row in rows]
BY_NAME = {case.name: case for case in NETWORKS}


def load(
    name: str, folder: Path | None = None, count: int = 200
) -> tuple[nn.Module, Tensor, Tensor]:
    """A network in eval mode, and the first test images of its data set with their labels.

    folder: of the weights, by default ``honest`` beside the data sets; trained if not there.
    Raises UserError if there is no such network, or its file was altered.
    """
    if name not in BY_NAME:
        raise UserError(f"no honest network {name!r}; choose from {', '.join(BY_NAME)}")
    case = BY_NAME[name]
    file = (folder or data_root() / "honest") / f"{name}.safetensors"
    torch.manual_seed(case.seed)
    network = KINDS[case.kind].build()
    if file.exists():
        network.load_state_dict(unseal(file)[0])
    else:
        KINDS[case.kind].train(network, case)
        seal(file, network.state_dict(), {"name": name})
    test = images(case.dataset, "test")
    network.eval().requires_grad_(False)
    return network, to_float(test.images[:count]), test.labels[:count]
