import math

import pytest
import torch
from torch.distributions import Categorical, Normal, kl_divergence

from robustinfo.maths.divergence import kl_from_standard_normal, kl_of_softmax

HALVES, QUARTER = [0.5, 0.5], [0.25, 0.75]


@pytest.mark.parametrize(
    "p, q, nats",
    [
        (HALVES, QUARTER, 0.5 * math.log(2) + 0.5 * math.log(2 / 3)),
        (QUARTER, HALVES, 0.25 * math.log(1 / 2) + 0.75 * math.log(3 / 2)),
        (QUARTER, QUARTER, 0.0),
    ],
)
def test_its_direction_is_the_one_of_hand_computed_numbers(p, q, nats):
    logits = [torch.tensor([t]).log() + shift for t, shift in ((p, 3.0), (q, -1.0))]
    assert kl_of_softmax(*logits).item() == pytest.approx(nats, abs=1e-7)


def test_it_is_that_of_torchs_categorical_distributions(generator):
    one, other = torch.randn(2, 50, 7, generator=generator) * 3
    expected = kl_divergence(Categorical(logits=one), Categorical(logits=other))
    torch.testing.assert_close(kl_of_softmax(one, other), expected, rtol=1e-5, atol=1e-6)


def test_it_and_its_gradient_stay_finite_where_probabilities_underflow():
    one = torch.tensor([[0.0, 500.0, -500.0]]).requires_grad_()
    other = torch.tensor([[500.0, 0.0, -500.0]]).requires_grad_()
    found = kl_of_softmax(one, other)
    found.backward()
    assert found.item() == pytest.approx(500.0)
    assert one.grad.isfinite().all() and other.grad.equal(torch.tensor([[1.0, -1.0, 0.0]]))


def test_half_precision_logits_are_compared_in_single_precision():
    one, other = torch.tensor([[[1.0, 2.0]], [[1.0, 2.015625]]])  # both exact in bfloat16
    found = kl_of_softmax(one.bfloat16(), other.bfloat16())
    assert found.dtype == torch.float32 and found.equal(kl_of_softmax(one, other))


def test_the_gaussians_is_torchs_summed_over_dimensions(generator):
    mean = torch.randn(9, 5, generator=generator)
    deviation = torch.rand(9, 5, generator=generator) + 0.01
    expected = kl_divergence(Normal(mean, deviation), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(kl_from_standard_normal(mean, deviation), expected)


def test_the_standard_gaussian_is_0_nats_and_a_shift_by_m_half_of_m_squared():
    ones = torch.ones(1, 3)
    assert kl_from_standard_normal(0 * ones, ones).item() == 0
    assert kl_from_standard_normal(2 * ones, ones).item() == 3 * 2.0


def test_the_narrowest_gaussian_of_float32_has_a_finite_divergence():
    tiny = torch.tensor([[torch.finfo(torch.float32).tiny]])
    found = kl_from_standard_normal(0 * tiny, tiny).item()
    assert found == pytest.approx(126 * math.log(2) - 0.5)
