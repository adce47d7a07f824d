"""Networks that a small perturbation turns, without training."""

import pytest
import torch
from torch import nn

from robustinfo.models import resnet18, wide_resnet

SHAPE = (2, 8, 8)


def network(name):
    if name == "resnet18":
        return resnet18.build(SHAPE, 10, config=resnet18.Config(width=2))
    if name == "wide_resnet":
        return wide_resnet.build(SHAPE, 10, config=wide_resnet.Config(depth=10, width=1))
    dense = (nn.Linear(128, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
    return nn.Sequential(nn.Flatten(), *dense)


@pytest.fixture
def problem():
    """(name, dtype) -> network, images, labels: what it says of seven images in eight.

    name: resnet18, wide_resnet, or mlp; all with BatchNorm.
    """

    def made(name, dtype=torch.float32, images=24):
        torch.manual_seed(0)
        model, x = network(name).to(dtype), torch.rand(images, *SHAPE, dtype=dtype)
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
                layer.weight.data.uniform_(0.5, 1.5)
                layer.momentum = None  # statistics: the mean of all that it sees
        model(x)
        y = model.eval()(x).argmax(1)
        y[::8] = (y[::8] + 1) % 10
        return model, x, y

    return made
