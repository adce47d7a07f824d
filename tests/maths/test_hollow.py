"""Surfaces whose hollows are known, and the level by brute force."""

import pytest
import torch

from robustinfo.maths.hollow import hollow

SIDE = 21
STEPS = torch.linspace(-1, 1, SIDE, dtype=torch.float64)
ACROSS, ALONG = STEPS[None], STEPS[:, None]
DISTANCE = (ACROSS**2 + ALONG**2).sqrt()


@pytest.mark.parametrize(
    "heights",
    [
        ALONG + 0 * ACROSS,  # the way down leads to the edge
        torch.zeros(SIDE, SIDE),
        -DISTANCE,  # a hill
        ALONG**2 + 0 * ACROSS,  # a valley is open at both ends
    ],
    ids=["slope", "plain", "hill", "valley"],
)
def test_there_is_no_hollow_where_a_path_need_not_climb(heights):
    assert hollow(heights) == (0.0, 0.0)


def test_a_pit_in_a_plain_is_as_deep_as_it_is_and_takes_its_points():
    heights = torch.ones(SIDE, SIDE)
    heights[9:12, 9:12] = 0.25  # 9 of 441 points, and lower elsewhere
    heights[2, 2] = 0.0
    assert hollow(heights) == pytest.approx((0.75, 9 / 441))


def test_behind_a_rim_the_level_is_that_of_the_lowest_pass():
    heights = torch.zeros(SIDE, SIDE)
    heights[7:14, 7:14] = 2.0
    heights[8:13, 8:13] = 0.0  # inside: 25 points
    heights[7, 10] = 0.5  # the pass
    depth, area = hollow(heights)
    assert depth == pytest.approx(0.25) and area == pytest.approx(25 / 441)
    heights[7, 10] = 0.0
    assert hollow(heights) == (0.0, 0.0)


def test_a_pass_may_lie_across_a_corner():
    heights = torch.zeros(5, 5)
    heights[1:4, 1:4] = 1.0
    heights[2, 2] = 0.0
    heights[1, 1] = 0.2
    assert hollow(heights) == pytest.approx((0.2, 1 / 25))


def test_a_bowl_fills_up_to_its_edges_and_takes_most_of_the_square():
    depth, area = hollow(DISTANCE**2)
    assert depth == pytest.approx(0.5)  # 1 of 2, in the corners
    assert area == pytest.approx((DISTANCE < 1 - 1e-9).double().mean().item())
    assert area > 0.6


def test_only_the_hollow_around_the_middle_counts():
    heights = ALONG + 0 * ACROSS
    heights[3:6, 3:6] -= 1.0
    assert hollow(heights) == (0.0, 0.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_level_is_the_lowest_at_which_the_flooded_part_reaches_the_edge(seed):
    heights = torch.rand(7, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    heights[3, 3] = 0.0
    depth, area = hollow(heights)
    for level in sorted(heights.flatten().tolist()):
        flooded = _flooded(heights <= level)
        if flooded[[0, -1]].any() or flooded[:, [0, -1]].any():
            break
    expected = level / (heights.max() - heights.min()).item()
    assert depth == pytest.approx(expected) and depth > 0
    assert area == pytest.approx(_flooded(heights < level).double().mean().item())


def _flooded(free):
    """What is joined to the middle, by growing it until nothing is added."""
    grown = torch.zeros_like(free)
    grown[3, 3] = True
    while True:
        wider = torch.nn.functional.max_pool2d(grown[None].double(), 3, 1, 1)[0].bool() & free
        if wider.equal(grown):
            return grown
        grown = wider
