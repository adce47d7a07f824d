import math
from itertools import pairwise

import pytest
import torch

from robustinfo.maths.activation_entropy import (
    activation_entropy,
    entropy_flow,
    flow_penalty,
    network_entropy,
    refuse_negative,
)


def test_values_by_hand():
    h = torch.tensor([[0.5, 0.5], [1.0, 0.0], [math.e, 1.0], [0.0, 0.0]])
    torch.testing.assert_close(
        activation_entropy(h), torch.tensor([math.log(2), 0.0, -math.e, 0.0])
    )


def test_on_probabilities_it_is_shannons_entropy():
    p = torch.rand(8, 10, generator=torch.Generator().manual_seed(0)).softmax(1)
    expected = torch.distributions.Categorical(p).entropy()
    torch.testing.assert_close(activation_entropy(p), expected)


def test_the_largest_value_of_one_neuron_is_at_one_over_e():
    h = torch.tensor([[1 / math.e]], dtype=torch.float64, requires_grad=True)
    activation_entropy(h).sum().backward()
    assert h.grad.item() == pytest.approx(0, abs=1e-12)


def test_the_gradient_is_the_closed_form_and_finite_at_zero():
    h = torch.tensor([[0.25, 2.0, 0.0, 1e-30]], dtype=torch.float64, requires_grad=True)
    activation_entropy(h).sum().backward()
    assert h.grad[0, :2].tolist() == pytest.approx([-math.log(0.25) - 1, -math.log(2) - 1])
    assert h.grad.isfinite().all()


def test_the_penalty_and_its_gradient_are_those_of_the_formula():
    draw = torch.Generator().manual_seed(0)
    first = 3 * torch.rand(5, 7, generator=draw, dtype=torch.float64)
    last = torch.rand(5, 4, generator=draw, dtype=torch.float64).softmax(1)
    first[0, 0] = 0.0  # as dead neurons leave it
    target, ends = torch.tensor(-0.3), [h.requires_grad_() for h in (first, last)]
    e = [activation_entropy(h).mean() for h in ends]
    slow = ((e[0] - e[1]) / 2 - target) ** 2
    fast = flow_penalty(*ends, target, layers=3)
    torch.testing.assert_close(fast, slow)
    for found, expected in zip(
        torch.autograd.grad(7 * fast, ends), torch.autograd.grad(7 * slow, ends), strict=True
    ):
        torch.testing.assert_close(found, expected)


def test_a_layer_of_dead_relus_gives_zero_and_a_zero_gradient():
    before = torch.full((4, 6), -1.0, requires_grad=True)
    value = activation_entropy(before.relu())
    value.sum().backward()
    assert not value.any() and not before.grad.any()


def test_a_negative_activation_is_refused_with_its_layer_and_value():
    refuse_negative(torch.zeros(2, 2), "relu1")
    with pytest.raises(ValueError, match=r"'conv2' yields -0\.25"):
        refuse_negative(torch.tensor([[1.0, -0.25]]), "conv2")


def test_e_t_is_the_mean_of_the_successive_differences():
    entropies = [torch.tensor([5.0, 1.0]), torch.tensor([2.0, 2.0]), torch.tensor([-1.0, 7.0])]
    slow = sum(a - b for a, b in pairwise(entropies)) / 2
    assert entropy_flow(entropies).tolist() == slow.tolist() == [3.0, -3.0]


def test_e_n_is_the_mean_over_layers_of_the_entropy_per_neuron():
    entropies = [torch.tensor([6.0, 3.0]), torch.tensor([10.0, 0.0])]
    assert network_entropy(entropies, [3, 5]).tolist() == [2.0, 0.5]


def test_e_n_needs_a_size_for_every_layer():
    with pytest.raises(ValueError):
        network_entropy([torch.tensor(1.0)], [1, 2])
