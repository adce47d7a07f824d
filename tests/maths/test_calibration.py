import numpy as np
import pytest
import torch

from robustinfo.maths import calibration
from robustinfo.maths.calibration import by_chance, calibration_error, interval


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(n, over=0.0, seed=0):
    """Confidences, and whether they were right, which is less often by ``over``."""
    draws = np.random.default_rng(seed)
    confidence = draws.beta(8, 2, n)
    right = draws.random(n) < np.clip(confidence - over, 0, 1)
    return torch.from_numpy(confidence), torch.from_numpy(right)


def slow(confidence, right, bins):
    """Equation 3 of Guo et al., bin by bin and image by image."""
    total = 0.0
    for m in range(1, bins + 1):
        inside = [
            (p, hit)
            for p, hit in zip(confidence.tolist(), right.tolist(), strict=True)
            if (m - 1) / bins < p <= m / bins or (m == 1 and p == 0)
        ]
        if inside:
            accuracy = sum(hit for _, hit in inside) / len(inside)
            mean = sum(p for p, _ in inside) / len(inside)
            total += len(inside) / len(confidence) * abs(accuracy - mean)
    return total


@pytest.mark.parametrize("bins", [1, 10, 15])
@pytest.mark.parametrize("seed", range(4))
def test_the_error_is_that_of_the_definition(bins, seed):
    confidence, right = drawn(200, over=0.1, seed=seed)
    confidence[:4] = torch.tensor([0.0, 1.0, 0.2, 0.6])  # ends of bins
    assert calibration_error(confidence, right, bins).item() == pytest.approx(
        slow(confidence, right, bins)
    )


def test_of_one_confidence_it_is_the_distance_from_the_accuracy():
    right = torch.arange(10) < 6
    for p in (0.6, 0.9, 1.0):
        error = calibration_error(torch.full((10,), p), right)
        assert error.item() == pytest.approx(abs(0.6 - p), abs=1e-7)


def test_confidences_that_are_each_bins_accuracy_have_no_error_and_bins_do_not_cancel():
    confidence = torch.tensor([0.5, 0.5, 0.75, 0.75, 0.75, 0.75], dtype=torch.float64)
    right = torch.tensor([1, 0, 1, 1, 1, 0])
    assert calibration_error(confidence, right).item() == 0
    swapped = torch.tensor([1, 1, 1, 1, 0, 0])  # too unsure in one, too sure in the other
    assert calibration_error(confidence, swapped).item() == pytest.approx(2 / 6)
    assert calibration_error(confidence, swapped, bins=1).item() == pytest.approx(0)


def test_chance_gives_a_calibrated_network_the_error_that_it_shows():
    confidence, _ = drawn(300)
    shown = by_chance(confidence, seeded())
    assert shown.shape == (calibration.DRAWS,)
    again = [calibration_error(*drawn(300, seed=seed)).item() for seed in range(300)]
    assert shown.mean().item() == pytest.approx(np.mean(again), rel=0.05)
    fewer = by_chance(confidence[:30], seeded()).mean()
    assert fewer > 2 * shown.mean()


@pytest.mark.parametrize("over, least", [(0.0, 0.93), (0.08, 0.9), (0.2, 0.9)])
def test_the_interval_contains_the_error_of_all_images(over, least):
    """Of 150 samples of 250 images; the mirrored bootstrap is a little too short."""
    population = drawn(400_000, over=over, seed=1)
    truth = 0.0 if over == 0 else calibration_error(*population).item()
    hits = 0
    for seed in range(150):
        confidence, right = drawn(250, over=over, seed=10 + seed)
        chance = by_chance(confidence, seeded(seed), draws=200)
        low, high = interval(confidence, right, seeded(seed), chance)
        assert 0 <= low <= calibration_error(confidence, right) <= high <= 1
        hits += low <= truth <= high
    assert hits / 150 >= least


def test_how_many_are_drawn_at_once_changes_nothing_but_memory(monkeypatch):
    confidence, right = drawn(50, over=0.1)
    chance = by_chance(confidence, seeded(), draws=100)
    monkeypatch.setattr(calibration, "AT_ONCE", 7 * 50)
    assert by_chance(confidence, seeded(), draws=100).equal(chance)
    assert interval(confidence, right, seeded(), chance)[0] > 0
