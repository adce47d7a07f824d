"""On a linear classifier smoothing changes nothing, and the certificate tends to the distance."""

import pytest
import torch
from scipy.stats import binom, norm
from torch import nn

from robustinfo.diagnostics import smoothing_certificate
from robustinfo.models import smoothed

SIGMA = 0.5


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def plane():
    """Two classes, and images at known distances from the plane between them."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 2, bias=False))
    normal = nn.functional.normalize(torch.randn(16), dim=0)
    model[1].weight.data = torch.stack([-normal, normal])
    distances = torch.tensor([0.05, 0.2, 0.5, 0.9, -0.4, -1.1])
    x = distances[:, None] * normal + torch.zeros(6, 16)
    return model.eval(), x.view(6, 1, 4, 4), distances


def certified(model, x, *, seed=0, **numbers):
    config = smoothing_certificate.Config(sigma=SIGMA, **numbers)
    return smoothing_certificate.certify(model, x, config=config, generator=seeded(seed))


def test_the_smoothed_classifier_is_the_same_and_its_radius_tends_to_the_distance():
    model, x, distances = plane()
    for samples, tolerance in ((2000, 0.12), (40_000, 0.035)):
        labels, radii = certified(model, x, samples=samples)
        sure = labels >= 0
        assert sure.sum() >= 5 and labels[sure].equal((distances > 0).long()[sure])
        far = distances.abs()[sure]
        assert (radii[sure] <= far).all() and (radii[sure] >= far - tolerance).all()


def test_no_more_certificates_are_wrong_than_alpha_allows():
    """A radius beyond the distance is wrong: at alpha = 0.2 that is no rare event."""
    model, x, distances = plane()
    wrong = torch.zeros(6)
    for seed in range(200):
        labels, radii = certified(model, x, seed=seed, samples=200, selection=50, alpha=0.2)
        wrong += (labels >= 0) & (radii > distances.abs())
    most = binom.ppf(0.9999, 200, 0.2)
    assert (wrong <= most).all()
    assert wrong.max() > 10  # the bound is tight


def test_rows_are_the_curve_by_radius_and_the_abstentions():
    model, x, distances = plane()
    y = (distances > 0).long()
    y[3] = 0  # an error: whatever its radius is
    config = smoothing_certificate.Config(sigma=SIGMA, radii=(0.0, 0.3, 5.0), samples=4000)
    labels, radii = certified(model, x, samples=4000)
    found = smoothing_certificate.diagnose(model, x, y, config=config, generator=seeded())
    assert [(one.quantity, one.level, one.n) for one in found] == [
        *((smoothing_certificate.CERTIFIED, radius, 6) for radius in (0.0, 0.3, 5.0)),
        (smoothing_certificate.ABSTAINED, None, 6),
    ]
    at = [((labels == y) & (radii > radius)).double().mean().item() for radius in (0.0, 0.3, 5.0)]
    assert [one.value for one in found[:3]] == pytest.approx(at)
    assert found[1].value == pytest.approx(3 / 6) and found[2].value == 0


def test_a_point_on_the_plane_is_abstained_on():
    model, x, _ = plane()
    labels, radii = certified(model, torch.zeros_like(x[:3]), samples=2000)
    assert labels.eq(-1).all() and radii.eq(0).all()


def test_of_a_smoothed_network_the_one_inside_is_certified():
    lenet = {"method": "lenet5", "probes": ["fc1"], "activations": ["softmax"]}
    config = smoothed.Config(network=lenet, sigma=SIGMA, samples=4)
    torch.manual_seed(0)
    model, x = smoothed.build((1, 12, 12), 3, config=config).eval(), torch.rand(3, 1, 12, 12)
    inside = smoothed.base_of(model)
    for one, other in zip(certified(model, x), certified(inside, x), strict=True):
        assert one.equal(other)


def test_votes_are_the_normal_distribution_of_the_distance():
    model, x, distances = plane()
    votes = smoothing_certificate._votes(model, x[1], 20_000, SIGMA, seeded())
    expected = norm.cdf(distances[1].item() / SIGMA)
    assert votes[1].item() / 20_000 == pytest.approx(expected, abs=0.015)
