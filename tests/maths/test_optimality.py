"""Areas under step curves by hand, the limiting cases, and a slow integral."""

import math

import numpy as np
import pytest
import torch

from robustinfo.maths.optimality import local_optimality

INF = math.inf


@pytest.mark.parametrize(
    "distances, least, expected",
    [
        # e_0 = 4; the areas are (4 - 1) + (4 - 3) + 0 and (4 - 1) + (4 - 2) + 0.
        ([1, 3, INF], [1, 2, 4], 4 / 5),
        ([1, 2, 4], [1, 2, 4], 1),  # the best itself
        ([INF, INF, INF], [1, 2, 4], 0),  # finds nothing
        ([4, 5, 9], [1, 2, 4], 0),  # finds nothing within e_0
        ([0, 1, 3], [0, 1, 2], 1),  # beyond e_0 = 2 nothing counts, and clean errors nowhere
        ([0, 0, 2, 3], [0, 0, 1, 3], 1 / 2),
        ([1, 2, INF], [1, 2, INF], 1),  # what nobody turned counts nowhere
        ([2, INF, INF], [1, 3, INF], 1 / 2),
    ],
)
def test_it_is_the_quotient_of_two_areas(distances, least, expected):
    found = local_optimality(torch.tensor(distances), torch.tensor(least))
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("least", [[INF, INF], [0.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
def test_where_the_best_leaves_no_area_it_is_not_defined(least):
    assert math.isnan(local_optimality(torch.tensor([INF, 5.0]), torch.tensor(least)))


def test_it_is_the_integral_of_the_accuracies_by_epsilon():
    rng = np.random.default_rng(0)
    every = rng.exponential(size=(3, 200)) * (rng.random(200) > 0.1)  # clean errors in common
    every[0, :30] = np.where(every[0, :30] == 0, 0, INF)
    least = every.min(0)
    end = least.max()
    epsilons = (np.arange(20_000) + 0.5) * end / 20_000
    clean, best = (least > 0).mean(), (least[:, None] > epsilons).mean(0)
    for distances in every:
        curve = (distances[:, None] > epsilons).mean(0)
        expected = (clean - curve).mean() / (clean - best).mean()
        found = local_optimality(torch.tensor(distances), torch.tensor(least))
        assert found == pytest.approx(expected, abs=2e-4) and 0 < found < 1
        scaled = local_optimality(torch.tensor(9 * distances), torch.tensor(9 * least))
        assert scaled == pytest.approx(found, abs=1e-12)
