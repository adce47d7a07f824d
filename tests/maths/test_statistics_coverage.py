"""What the interval over seeds and images covers, all seeds sharing one test set."""

import numpy as np
import pytest

from benchmarks import coverage
from robustinfo.maths.statistics import over_images

MEAN = 0.41
# seeds, n, spread between trainings, how alike the seeds' errors are, repetitions
SETTINGS = [
    (2, 150, 0.0, 0.8, 1500),
    (2, 150, 0.04, 1.0, 1500),
    (2, 1_000, 0.0, 0.0, 1500),
    (2, 1_000, 0.02, 0.8, 1500),
    (2, 10_000, 0.01, 0.9, 300),
    (2, 10_000, 0.03, 0.6, 300),
    (3, 150, 0.0, 0.0, 1500),
    (3, 150, 0.0, 1.0, 1500),
    (3, 1_000, 0.01, 0.8, 1500),
    (3, 10_000, 0.04, 0.9, 300),
    (5, 150, 0.01, 0.8, 1500),
    (5, 1_000, 0.0, 0.6, 1500),
    (5, 1_000, 0.03, 1.0, 1500),
    (5, 10_000, 0.02, 0.8, 300),
]


def most(seeds):
    return 0.99 if seeds == 2 else 0.98


@pytest.mark.parametrize("seeds, n, spread, alike, repetitions", SETTINGS)
def test_the_outcome_of_every_image_and_paired_differences_cover_the_method(
    seeds, n, spread, alike, repetitions
):
    held = coverage.coverage(
        np.random.default_rng(0),
        repetitions,
        MEAN,
        ["outcome of every image", "difference, every image"],
        seeds=seeds, n=n, spread=spread, alike=alike,
    )  # fmt: skip
    for share in held.values():
        assert 0.90 <= share <= most(seeds)


@pytest.mark.parametrize(
    "seeds, n, spread, alike, repetitions", [one for one in SETTINGS if one[3] >= 0.9]
)
def test_fractions_alone_cover_it_too_where_seeds_err_alike(seeds, n, spread, alike, repetitions):
    held = coverage.coverage(
        np.random.default_rng(0),
        repetitions,
        MEAN,
        ["fractions", "values with own intervals"],
        seeds=seeds, n=n, spread=spread, alike=alike,
    )  # fmt: skip
    for share in held.values():
        assert 0.90 <= share <= most(seeds)


def test_a_difference_of_fractions_is_never_too_narrow_though_it_knows_no_pairs():
    for alike in (0.0, 0.9):
        held = coverage.coverage(
            np.random.default_rng(0), 800, MEAN, ["difference of fractions"],
            seeds=3, n=150, spread=0.02, alike=alike,
        )  # fmt: skip
        assert held["difference of fractions"] >= 0.93


def test_the_images_interval_alone_fails_the_same_simulation(monkeypatch):
    """That of one network, which says nothing of the next training."""

    def first_seed(first, second):
        return over_images(first[:1])

    monkeypatch.setitem(coverage.FORMS, "first seed", first_seed)
    held = coverage.coverage(
        np.random.default_rng(0), 300, MEAN, ["first seed"],
        seeds=2, n=10_000, spread=0.03, alike=0.8,
    )  # fmt: skip
    assert held["first seed"] < 0.5
