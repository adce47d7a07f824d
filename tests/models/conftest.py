import pytest
import torch
from torch import nn


@pytest.fixture
def count():
    """model -> how many weights it has."""
    return lambda model: sum(weight.numel() for weight in model.parameters())


@pytest.fixture
def stirred():
    """model -> in eval mode, BatchNorm as after some training: no statistic or scale is 0 or 1."""

    def stir(model):
        generator = torch.Generator().manual_seed(1)
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
                for tensor in (layer.running_mean, layer.bias.data):
                    tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator))
                for tensor in (layer.running_var, layer.weight.data):
                    tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
        return model.eval()

    return stir
