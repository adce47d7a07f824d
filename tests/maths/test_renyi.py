"""Matrix-based entropies against eigenvalues by hand."""

import math

import pytest
import torch
from torch.nn import functional as F

from robustinfo.maths.kernels import same_label
from robustinfo.maths.renyi import entropy_bits, information_bits


def kernel(n, seed=0):
    t = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.exp(-torch.cdist(t, t).square() / 2)


@pytest.mark.parametrize("alpha", [0.5, 1.01, 2.0, 5.0])
def test_two_samples_have_the_entropy_of_their_two_eigenvalues(alpha):
    """K = [[1, c], [c, 1]]: K / 2 has the eigenvalues (1 + c) / 2 and (1 - c) / 2."""
    for c in (0.0, 0.3, 1.0):
        powers = sum(((1 + sign * c) / 2) ** alpha for sign in (-1, 1))
        found = entropy_bits(torch.tensor([[1.0, c], [c, 1.0]]), alpha)
        assert found == pytest.approx(math.log2(powers) / (1 - alpha), abs=1e-6)


def test_samples_all_alike_have_none_and_samples_all_apart_have_log_n():
    assert entropy_bits(torch.ones(8, 8)) == pytest.approx(0, abs=1e-9)
    assert entropy_bits(torch.eye(8)) == pytest.approx(3, abs=1e-9)


def test_labels_have_the_renyi_entropy_of_their_shares():
    y = torch.tensor([0] * 8 + [1] * 4 + [2] * 4)
    shares = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
    for alpha in (1.01, 2.0):
        closed = shares.pow(alpha).sum().log2().item() / (1 - alpha)
        assert entropy_bits(same_label(y), alpha) == pytest.approx(closed, abs=1e-9)
    assert entropy_bits(same_label(y), 1.0001) == pytest.approx(1.5, abs=1e-3)  # Shannon's


def test_at_order_two_the_entropy_is_that_of_the_mean_square():
    k = kernel(20)
    assert entropy_bits(k, 2.0) == pytest.approx(-(k / 20).square().sum().log2().item())


def test_a_copy_has_all_information_and_a_constant_none():
    """A copy's pair has the kernel K o K; of labels that is K."""
    labels, other = same_label(torch.arange(12) % 3), kernel(12)
    assert information_bits(labels, labels) == pytest.approx(math.log2(3), abs=1e-9)
    assert information_bits(other, torch.ones(12, 12)) == pytest.approx(0, abs=1e-9)


def test_information_is_symmetric_at_least_0_and_at_most_either_entropy():
    one, other = kernel(40, 1), kernel(40, 2)
    found = information_bits(one, other)
    assert found == pytest.approx(information_bits(other, one))
    assert 0 <= found <= min(entropy_bits(one), entropy_bits(other))
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    mixed = information_bits(one[order][:, order], other[order][:, order])
    assert mixed == pytest.approx(found)


@pytest.mark.parametrize("alpha", [1, 0, -2])
def test_an_order_without_a_formula_is_refused(alpha):
    with pytest.raises(ValueError, match=f"here it is {alpha}"):
        entropy_bits(F.one_hot(torch.arange(3)).double(), alpha)
