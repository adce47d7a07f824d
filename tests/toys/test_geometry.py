import math
from itertools import pairwise

import pytest
import torch

from robustinfo.toys.geometry import Config, compute, point_sets

S2 = 0.1  # the noise variance of the kernels
OF_INPUT = ["information_input_bits_upper", "information_input_bits_lower"]
OF_INPUT += ["information_input_bits"]
OF_LABEL = [name.replace("input", "label") for name in OF_INPUT]
NONE = {"spreads": [], "within": [], "mixed": []}
SMALL = {"points": 400, "draws": 3}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def rows(seed=0, **settings):
    return list(compute(config=Config(**settings), generator=seeded(seed)))


def table(seed=0, **settings):
    """{(set, quantity): values from level to level}."""
    found = {}
    for row in rows(seed, **settings):
        found.setdefault((row.input, row.quantity), []).append(row.value)
    return found


def sets(**settings):
    return list(point_sets(config=Config(**settings), generator=seeded()))


def test_points_that_coincide_carry_nothing():
    found = table(**SMALL | NONE | {"spreads": [0.0]})
    for quantity in OF_INPUT + OF_LABEL + ["mean_distance", "mean_distance_within"]:
        assert found["spread", quantity] == pytest.approx([0], abs=1e-9)


@pytest.mark.parametrize("classes", [3, 4, 8])
def test_classes_far_apart_whose_points_coincide_carry_their_labels_and_no_more(classes):
    settings = {"points": 48, "draws": 2, "classes": classes, "overall": 20.0, "within": [0.0]}
    found = table(**NONE | settings)
    for quantity in OF_INPUT + OF_LABEL:
        assert found["within_spread", quantity] == pytest.approx([math.log2(classes)])


@pytest.mark.parametrize("spread", [0.1, 0.5, 1.0])
def test_a_gaussian_cluster_has_the_values_of_its_closed_forms(spread):
    """Of infinitely many points: -E log2 E exp(-|t - t'|^2 / (2 c s^2)), c = 1 and 4.

    A cluster of variance v is a Gaussian channel of capacity log2(1 + v / s^2), between the two.
    """
    found = table(**NONE | {"points": 2000, "draws": 1, "spreads": [spread]})
    (upper,), (lower,), (binned,) = (found["spread", quantity] for quantity in OF_INPUT)
    v = spread**2

    def bound(s2):
        return math.log2(1 + v / s2) + v / (v + s2) * math.log2(math.e)

    # The variance of so many points is off by 2 %, as one standard error.
    assert upper == pytest.approx(bound(S2), rel=0.04)
    assert lower == pytest.approx(bound(4 * S2), rel=0.04)
    assert lower < math.log2(1 + v / S2) < upper
    if spread == 1:  # the bins are small: the differential entropy, less log2 of a bin's area
        assert binned == pytest.approx(math.log2(2 * math.pi * math.e * v / 0.5**2), rel=0.04)


def test_the_mean_distance_of_a_gaussian_cluster_is_that_of_a_rayleigh_variable():
    found = table(**NONE | {"points": 1000, "draws": 4, "spreads": [0.7]})
    expected = pytest.approx([0.7 * math.sqrt(math.pi)], rel=0.02)
    assert found["spread", "mean_distance"] == expected
    assert found["spread", "mean_distance_within"] == expected


@pytest.mark.parametrize("classes", [3, 4, 7])
def test_the_overall_covariance_stays_however_tight_the_classes_are(classes):
    settings = {"points": 21_000, "classes": classes, "overall": 1.5, "within": [0, 0.3, 0.9, 1]}
    for _, share, t, y in sets(**NONE | settings):
        for points, v in ((t, 2.25), (t[y == 1], 2.25 * share**2)):
            errors = 5 * v * math.sqrt(2 / len(points)) + 1e-12  # five standard errors
            expected = v * torch.eye(2, dtype=torch.float64)
            torch.testing.assert_close(points.T.cov(), expected, rtol=0, atol=errors)


def test_swapping_labels_moves_no_point_and_changes_no_class_size():
    (_, _, t, y), *others = sets(**NONE | {"points": 120, "mixed": [0.0, 0.5, 1.0]})
    for _, share, moved, labels in others:
        assert moved.equal(t) and labels.bincount().equal(y.bincount())
        changed = (labels != y).double().mean().item()
        assert 0.4 * share < changed < share
    centre = t.mean(0)
    angles = (t - centre).flip(1).T
    assert torch.atan2(*angles)[y == 0].max() < torch.atan2(*angles)[y == 3].min()


def test_points_that_draw_together_carry_less_about_their_input():
    found = table(**SMALL)
    for quantity in OF_INPUT:
        values = found["spread", quantity]
        assert all(tight < wide for tight, wide in pairwise(values))


def test_classes_that_draw_together_carry_more_about_the_label_while_the_whole_stays():
    found = table(**SMALL)
    for quantity in OF_LABEL:
        assert all(tight > wide for tight, wide in pairwise(found["within_spread", quantity][1:]))
        assert all(apart > mixed for apart, mixed in pairwise(found["mixed_labels", quantity]))
        assert found["within_spread", quantity][0] == pytest.approx(2, abs=0.01)  # H(Y)
    for quantity in OF_INPUT:
        first, *others = found["mixed_labels", quantity]  # the points, summed class by class
        assert others == pytest.approx([first] * len(others), rel=1e-14)


def test_labels_by_chance_seem_to_carry_something_but_less_the_more_points_there_are():
    """They carry nothing: all of it is bias, and four times the points leave less than half."""
    settings = NONE | {"spreads": [1.0], "draws": 2}
    fewer, more = (table(points=points, **settings) for points in (400, 1600))
    for quantity in OF_LABEL:
        assert 0 < more["spread", quantity][0] < fewer["spread", quantity][0] / 2


def test_rows_say_how_sure_they_are_and_where_their_estimate_ends():
    for row in rows(**SMALL):
        assert row.n == 400 and row.low <= row.value + 1e-9 <= row.high + 2e-9
        if "bits" in row.quantity:
            assert row.value <= row.ceiling + 1e-9
        else:
            assert row.ceiling is None and not row.saturated
    far = rows(**NONE | {"points": 8, "draws": 1, "spreads": [1e4]})
    assert all(row.saturated for row in far if "bits" in row.quantity)


def test_the_generator_alone_decides_and_another_seed_draws_other_points():
    assert table(0, **SMALL) == table(0, **SMALL)
    one, other = table(0, **SMALL), table(1, **SMALL)
    assert one["spread", "mean_distance"] != other["spread", "mean_distance"]


def test_shown_points_are_the_first_of_each_set_with_their_class():
    settings = {"points": 40, "draws": 2, "spreads": [0.5], "within": [0.5], "mixed": [0.0, 1.0]}
    found = [row for row in rows(shown=3, **settings) if row.layer]
    expected = [
        (name, level, f"class {y[i]}, point {i + 1}", quantity, t[i, axis].item())
        for name, level, t, y in sets(**settings)
        for i in range(3)
        for axis, quantity in enumerate("xy")
    ]
    assert [(row.input, row.level, row.layer, row.quantity, row.value) for row in found] == expected
    assert not any(row.layer for row in rows(**settings))


def test_two_centres_make_no_circle_and_are_refused():
    with pytest.raises(ValueError, match="greater than or equal to 3"):
        Config(classes=2)
