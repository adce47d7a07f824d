"""Networks in float16, bfloat16 and float64 are judged in float32, where gradients have digits."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.sources.test_guarded import CLASSES, Does, asked_of, images, linear

LOW = {
    "half": lambda layer, x: linear(layer, x.half()),
    "half, cast back": lambda layer, x: linear(layer, x.to(torch.float16)).float(),
    "bfloat16": lambda layer, x: linear(layer, x.to(dtype=torch.bfloat16)),
    "double": lambda layer, x: linear(layer, x.double()),
    "as the weights are": lambda layer, x: linear(layer, x.to(layer.weight.dtype)),
    "as it comes": linear,
}
DTYPES = {"bfloat16": torch.bfloat16, "double": torch.float64}


@pytest.mark.parametrize("name", LOW)
def test_a_network_of_another_precision_is_judged_in_float32_and_that_is_said(name):
    dtype = DTYPES.get(name, torch.float16)
    network = asked_of(Does(LOW[name]).to(dtype))
    (note,) = network.notes
    assert note == f"net has weights in {dtype}: it is judged in torch.float32"
    x = images().requires_grad_()
    weight, bias = network.network.linear.weight, network.network.linear.bias
    assert weight.dtype == torch.float32
    torch.testing.assert_close(network(x), F.linear(x.flatten(1), weight, bias))
    (slope,) = torch.autograd.grad(1e-6 * network(x).sum(), x)  # of float16 it would be 0
    torch.testing.assert_close(slope[0].flatten(), 1e-6 * weight.sum(0), atol=0, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_what_a_forward_lowers_by_itself_is_not_lowered(dtype):
    def autocast(layer, x):
        with torch.autocast("cpu", dtype=dtype):
            return linear(layer, x).float()

    network = asked_of(Does(autocast))
    assert network.notes == [f"net computes in {dtype} inside: it is judged in torch.float32"]
    plain = Does(linear)
    assert network(images()).equal(plain(images()))
    assert torch.is_autocast_enabled("cpu") is False


def test_a_float32_network_that_sums_in_double_may_do_so_and_nothing_is_said():
    seen = []

    def summed(layer, x):
        seen.append(x.double().dtype)
        return linear(layer, x.double().float())

    network = asked_of(Does(summed))
    assert network.notes == [] and {*seen} == {torch.float64}
    assert network(images()).dtype == torch.float32


def test_torchscript_in_float16_is_judged_as_it_is_and_that_is_said():
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(16, CLASSES)

        def forward(self, x):
            return self.linear(x.flatten(1).half())

    network = asked_of(torch.jit.script(Half().half()))
    assert "computes in torch.float16 and fails in torch.float32" in network.notes[0]
    assert network(images()).dtype == torch.float32
    assert network.network.linear.weight.dtype == torch.float16
