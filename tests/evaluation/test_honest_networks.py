"""The honest networks' own parts: 4 bits with a straight-through gradient, and ensembles."""

import pytest
import torch
from torch import nn

from benchmarks.honest import architectures as of
from benchmarks.honest.ensembles import Ensemble
from benchmarks.honest.kinds import KINDS
from benchmarks.honest.quantised import STEPS, TOP, WEIGHT_STEPS, QuantisedReLU, quantised
from benchmarks.honest.registry import NETWORKS

SHAPES = {"digits": of.SHAPE, "mnist": of.SHAPE, "cifar10": of.COLOUR}


def drawn(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def test_activations_of_4_bits_have_16_values_and_the_gradient_of_relu6():
    x = (8 * drawn(1000) - 1).requires_grad_()
    values = QuantisedReLU()(x)
    values.sum().backward()
    assert torch.allclose(values.unique(), torch.arange(STEPS + 1) * (TOP / STEPS))
    assert (values - nn.ReLU6()(x)).abs().max() <= TOP / STEPS / 2 + 1e-6
    assert torch.allclose(x.grad, ((x > 0) & (x < TOP)).float())


def test_weights_of_4_bits_have_15_values_within_half_a_step_and_are_trained():
    torch.manual_seed(0)
    layer = nn.Linear(40, 40)
    before = layer.weight.detach().clone()
    quantised(layer)
    step = before.abs().max() / WEIGHT_STEPS
    assert len(layer.weight.unique()) == 2 * WEIGHT_STEPS + 1
    assert (layer.weight - before).abs().max() <= step / 2 + 1e-6
    layer(drawn(3, 40)).sum().backward()
    assert layer.parametrizations.weight.original.grad.abs().min() > 0


def test_an_ensemble_of_one_network_is_this_network():
    network = of.convolutional(2)
    x = drawn(5, *of.SHAPE)
    logits = network(x)
    assert torch.allclose(Ensemble(lambda: network)(x), logits, atol=1e-6)
    of_probabilities = Ensemble(lambda: network, of_probabilities=True)(x)
    assert torch.allclose(of_probabilities, logits.log_softmax(1), atol=1e-6)


def test_the_probabilities_of_an_ensemble_are_the_mean_of_its_members():
    network = Ensemble(lambda: of.convolutional(2), of_probabilities=True)
    x = drawn(5, *of.SHAPE)
    mean = torch.stack([member(x).softmax(1) for member in network.members]).mean(0)
    assert torch.allclose(network(x).exp(), mean, atol=1e-6)


@pytest.mark.parametrize(
    "case", {(one.kind, one.dataset): one for one in NETWORKS}.values(), ids=str
)
def test_every_kind_reads_the_images_of_its_data_set(case):
    network = KINDS[case.kind].build().eval()
    assert network(drawn(2, *SHAPES[case.dataset])).shape == (2, 10)


def test_there_are_eighty_of_them_and_names_are_not_taken_twice():
    assert len({one.name for one in NETWORKS}) == len(NETWORKS) == 80
