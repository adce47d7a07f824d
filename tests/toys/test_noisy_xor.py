from itertools import combinations

import numpy as np
import pytest
import torch

from robustinfo.toys.noisy_xor import Config, compute, line_cuts, two_line_accuracy


def plane(n, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, 2))


@pytest.mark.parametrize("n", [4, 7, 20])
def test_lines_cut_points_in_as_many_ways_as_cover_counted(n):
    """Cover (1965): n points in general position have n (n - 1) / 2 + 1 cuts by a line."""
    assert len(line_cuts(plane(n))) == n * (n - 1) // 2 + 1


def test_every_cut_is_made_by_some_line():
    points = plane(9)
    for word in line_cuts(points):
        side = np.array([int(word) >> k & 1 for k in range(9)])
        # A perceptron finds a separating line where there is one.
        x, w = np.column_stack([points, np.ones(9)]), np.zeros(3)
        for _ in range(20_000):
            wrong = np.flatnonzero((x @ w > 0) != side)
            if not len(wrong):
                break
            w += (2 * side[wrong[0]] - 1) * x[wrong[0]]
        assert ((x @ w > 0) == side).all()


def test_the_four_corners_of_xor_need_both_lines():
    corners = np.array([[1.0, 1.1], [-1.2, -1.0], [1.0, -1.3], [-1.1, 1.0]])
    same = np.array([True, True, False, False])
    assert two_line_accuracy(corners, same) == 1


def test_labels_that_alternate_along_a_curve_are_beyond_two_lines():
    """Two lines meet a circle in at most four places: they make at most four runs of labels."""
    angle = np.arange(8) * np.pi / 4 + 0.1
    circle = np.column_stack([np.cos(angle), 1.3 * np.sin(angle)])
    assert two_line_accuracy(circle, np.arange(8) % 2 == 0) == 6 / 8


def test_pairs_of_cuts_agree_with_a_slow_search_over_all_of_them():
    points, labels = plane(7), plane(7, seed=1)[:, 0] > 0
    sides = [[int(w) >> k & 1 for k in range(7)] for w in line_cuts(points)]
    best = 0
    for one, other in combinations(sides, 2):
        regions = {}
        for a, b, label in zip(one, other, labels, strict=True):
            regions.setdefault((a, b), []).append(label)
        best = max(best, sum(max(sum(r), len(r) - sum(r)) for r in regions.values()))
    assert two_line_accuracy(points, labels) == best / 7


def test_without_noise_the_axes_separate_and_with_noise_nothing_does():
    config = Config(points=64, noise=(0.0, 0.2))
    rows = list(compute(config=config, generator=torch.Generator().manual_seed(0)))
    assert rows[0].value == 1 and rows[1].value < 1
