"""Known information against integrals, limits and identities."""

import math

import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from robustinfo.maths import channels


def test_the_gaussian_channel_has_the_information_of_its_correlations():
    """In one dimension -log2(1 - rho^2) / 2; and the sum of them for independent coordinates."""
    for variance, noise in ((1.0, 0.1), (0.3, 2.0)):
        rho2 = variance / (variance + noise)
        found = channels.gaussian_bits(torch.tensor([[variance]]), noise)
        assert found == pytest.approx(-math.log2(1 - rho2) / 2, abs=1e-7)
    signal = torch.diag(torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    turn = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64)).Q
    whole = sum(math.log2(1 + 2 * v) / 2 for v in (1, 2, 3))
    for turned in (signal, turn @ signal @ turn.T):
        assert channels.gaussian_bits(turned, 0.5) == pytest.approx(whole, abs=1e-10)


def test_a_bottleneck_s_kl_is_its_information_at_the_best_prior_and_more_at_others():
    signal = 0.75 * torch.eye(3, dtype=torch.float64)
    information = channels.gaussian_bits(signal, 0.25)
    assert channels.gaussian_kl_bits(signal, 0.25) == pytest.approx(information, abs=1e-10)
    assert information == pytest.approx(3)
    for prior in (0.5, 2.0):  # KL(N(0, 1) || N(0, prior)), three times
        more = 3 * (1 / prior - 1 + math.log(prior)) / 2 / math.log(2)
        found = channels.gaussian_kl_bits(signal, 0.25, prior)
        assert found == pytest.approx(information + more, abs=1e-10)


def test_the_symmetric_channel_has_the_closed_form_and_its_ends():
    def closed(classes, error):
        h = -error * math.log2(error) - (1 - error) * math.log2(1 - error)
        return math.log2(classes) - h - error * math.log2(classes - 1)

    for classes, error in ((2, 0.11), (4, 0.1), (10, 0.3)):
        joint = channels.symmetric_joint(classes, error)
        assert joint.sum().item() == pytest.approx(1)
        assert channels.joint_bits(joint) == pytest.approx(closed(classes, error), abs=1e-12)
    copy, chance = (channels.symmetric_joint(4, error) for error in (0.0, 0.75))
    assert channels.joint_bits(copy) == 2
    assert channels.joint_bits(chance) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("distance", "variance"), [(1.0, 1.0), (2.0, 0.3), (5.0, 1.0), (0.1, 2.0)])
def test_overlapping_clusters_have_the_information_that_scipy_integrates(distance, variance):
    """I = 1 - E log2(1 + p(t | other) / p(t | own))."""
    sigma, m = variance**0.5, distance / 2

    def lost(t):
        ratio = math.exp(-2 * t * m / variance)
        return norm.pdf(t, m, sigma) * math.log2(1 + ratio)

    expected = 1 - quad(lost, m - 12 * sigma, m + 12 * sigma, epsabs=1e-13, limit=500)[0]
    centres, joint = torch.tensor([0.0, distance]), channels.symmetric_joint(2, 0.0)
    found = channels.clusters_bits(centres, joint, variance)
    assert found == pytest.approx(expected, abs=1e-10)
    fine = channels.binned_clusters_bits(centres, joint, variance, 1e-3)
    assert found - 1e-6 < fine <= found + 1e-10  # bins lose information, small ones little


def test_clusters_far_apart_have_the_information_of_the_symmetric_channel():
    centres, joint = 20.0 * torch.arange(4), channels.symmetric_joint(4, 0.1)
    expected = pytest.approx(channels.joint_bits(joint), abs=1e-10)
    assert channels.clusters_bits(centres, joint, 1.0) == expected
    assert channels.binned_clusters_bits(centres, joint, 1.0, 0.5) == expected


def test_clusters_in_one_place_tell_nothing_and_more_noise_leaves_less():
    joint = channels.symmetric_joint(3, 0.0)
    assert channels.clusters_bits(torch.zeros(3), joint, 1.0) == pytest.approx(0, abs=1e-12)
    found = [channels.clusters_bits(torch.arange(3), joint, v) for v in (0.1, 1.0, 10.0)]
    assert found == sorted(found, reverse=True) and found[-1] > 0


def test_bins_of_a_gaussian_hold_the_differential_entropy_less_the_bin_s_size():
    fine = channels.binned_gaussian_bits(1.0, 0.01)
    assert fine == pytest.approx(math.log2(2 * math.pi * math.e) / 2 - math.log2(0.01), abs=1e-5)
    assert channels.binned_gaussian_bits(1.0, 100.0) == pytest.approx(1, abs=1e-12)  # its sign
    cells = channels.cell_probabilities(0.3, 1.0, 0.5)
    assert cells.sum().item() == pytest.approx(1, abs=1e-12)
    largest = norm.cdf(0.5, 0.3) - norm.cdf(0, 0.3)
    assert cells.max().item() == pytest.approx(largest, abs=1e-12)
