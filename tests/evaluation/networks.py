"""Honest networks, plain and adversarially trained, on digits and, where it is there, on MNIST."""

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from benchmarks.honest import fitting
from robustinfo.core.batches import to_float
from robustinfo.datasets._prepared import data_root
from robustinfo.defences import adversarial, standard
from robustinfo.models import lenet5
from robustinfo.training import loop

LOSS = {"method": "cross_entropy"}
EPSILON = {"digits": 0.15, "mnist": 0.2}  # linf; plain networks fall below 5 % there
TRAINED_ON = 2000  # images of MNIST
EPOCHS = {"digits": 24, "mnist": 12}


class Honest(NamedTuple):
    """A trained network, its images, and the epsilon that it is judged at."""

    dataset: str
    model: nn.Module
    x: Tensor
    y: Tensor
    epsilon: float


def is_prepared(dataset: str) -> bool:
    """Whether it is where the environment says; the digits always are."""
    return dataset == "digits" or (data_root() / dataset / "test.safetensors").exists()


images = partial(fitting.images, most=TRAINED_ON)


@cache
def honest(dataset: str, defence: str, seed: int, count: int = 100) -> Honest:
    """A LeNet-5 trained on the data set, plainly or against PGD, and the first test images."""
    test = images(dataset, "test")
    x, y = to_float(test.images[:count]), test.labels[:count]
    return Honest(dataset, trained(dataset, defence, seed), x, y, EPSILON[dataset])


def trained(
    dataset: str, defence: str, seed: int, activation: Callable[[], nn.Module] | None = None
) -> nn.Module:
    """A LeNet-5 in eval mode; with another activation, if one is given."""
    torch.manual_seed(seed)
    model = lenet5.build((1, 28, 28), 10, config=lenet5.Config())
    for name, layer in list(model.named_modules()):
        if activation is not None and isinstance(layer, nn.ReLU):
            model.set_submodule(name, activation())
    return fitted(model, dataset, defence, seed)


def fitted(model: nn.Module, dataset: str, defence: str, seed: int) -> nn.Module:
    """The network, trained in place, plainly or against PGD, and put into eval mode."""
    terms = partial(standard.loss_terms, config=standard.Config(loss=LOSS))
    if defence == "adversarial":
        epsilon = EPSILON[dataset]
        attack = {"epsilon": epsilon, "step_size": epsilon / 3, "steps": 5}
        config = adversarial.Config(loss=LOSS, attack=attack)
        terms = partial(adversarial.loss_terms, config=config)
    data = images(dataset, "train")
    numbers = loop.Config(
        epochs=EPOCHS[dataset], batch_size=64, learning_rate=0.002, snapshot_every=EPOCHS[dataset]
    )
    for _ in loop.train(
        model,
        data,
        loop.Images(data.images[:0], data.labels[:0]),
        terms,
        config=numbers,
        generator=Generator().manual_seed(seed),
    ):
        pass
    return model.eval()
