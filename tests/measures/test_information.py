import math

import pytest
import torch
from pydantic import ValidationError

from robustinfo.measures import binned_information, kde_information
from tests.by_quantity import by_quantity

KDE = kde_information.Config()
WIDTH = binned_information.Config(width=0.5)
BINS = binned_information.Config(bins=30)


def estimates(measure, t, y, config):
    """{quantity: Measurement}"""
    return by_quantity(measure.estimate(t, y, config=config))


def kde(t, y):
    found = estimates(kde_information, t, y, KDE)
    return [(found[f"information_input_bits_{b}"], found[f"information_label_bits_{b}"])
            for b in ("upper", "lower")]  # fmt: skip


def binned(config):
    def estimate(t, y):
        found = estimates(binned_information, t, y, config)
        return [(found["information_input_bits"], found["information_label_bits"])]

    return estimate


EVERY = pytest.mark.parametrize("estimate", [kde, binned(WIDTH), binned(BINS)])


@EVERY
def test_points_far_apart_saturate_both_values_at_their_ceilings(estimate):
    y = torch.arange(32) % 2
    for of_input, of_label in estimate(100 * torch.eye(32), y):
        assert of_input.value == pytest.approx(5) and of_input.ceiling == 5
        assert of_label.value == pytest.approx(1) and of_label.ceiling == 1
        assert of_input.saturated and of_label.saturated


@EVERY
def test_a_copy_of_the_label_carries_its_entropy_and_is_not_saturated(estimate):
    y = torch.tensor([0] * 8 + [1] * 4 + [2] * 4)
    for of_input, of_label in estimate(100.0 * torch.nn.functional.one_hot(y), y):
        assert of_input.value == pytest.approx(1.5) and not of_input.saturated
        assert of_label.value == pytest.approx(1.5) and not of_label.saturated
        assert of_label.ceiling == pytest.approx(1.5) and of_input.ceiling == 4


def test_a_layer_within_one_bin_carries_nothing_and_one_value_beyond_is_seen():
    t = 0.01 + 0.4 * torch.rand(16, 3, generator=torch.Generator().manual_seed(0))
    config = binned_information.Config(width=0.5)
    inside = binned_information.estimate(t, torch.arange(16) % 4, config=config)
    assert [one.value for one in inside] == [0, 0, 0]
    t[3, 1] = -0.01
    beyond = binned_information.estimate(t, torch.arange(16) % 4, config=config)
    assert beyond[0].value == pytest.approx(math.log2(16) - 15 / 16 * math.log2(15))


@EVERY
def test_a_constant_layer_carries_nothing(estimate):
    for of_input, of_label in estimate(torch.full((16, 3), 0.7), torch.arange(16) % 4):
        assert of_input.value == pytest.approx(0, abs=1e-12) and not of_input.saturated
        assert of_label.value == pytest.approx(0, abs=1e-12) and not of_label.saturated


@EVERY
def test_nothing_can_be_known_about_a_constant_label(estimate):
    t = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    for _, of_label in estimate(t, torch.full((64,), 3)):
        assert of_label.value == pytest.approx(0, abs=1e-12) and of_label.ceiling == 0


def test_the_kde_bounds_are_named_by_their_kernels():
    t = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    (upper, _), (lower, _) = kde(t, torch.arange(64) % 2)
    assert lower.value < upper.value


def test_more_noise_leaves_less_information():
    t, y = torch.randn(64, 2, generator=torch.Generator().manual_seed(0)), torch.arange(64) % 2
    values = [
        estimates(kde_information, t, y, kde_information.Config(noise_variance=v))
        for v in (0.01, 0.1, 1.0)
    ]
    of_input = [found["information_input_bits_upper"].value for found in values]
    assert of_input == sorted(of_input, reverse=True) and of_input[0] > of_input[-1] + 1


def test_thirty_bins_over_the_range_split_a_grid_of_thirty_values_evenly():
    t = torch.linspace(-3, 7, 30)[:, None].repeat(4, 1)
    found = estimates(binned_information, t, torch.zeros(120, dtype=torch.int64), BINS)
    assert found["information_input_bits"].value == pytest.approx(math.log2(30))


def test_the_maximum_falls_into_the_last_of_the_bins():
    t = torch.linspace(0, 1, 1001)[:, None]
    found = estimates(
        binned_information,
        t,
        torch.zeros(1001, dtype=torch.int64),
        binned_information.Config(bins=1),
    )
    assert found["information_input_bits"].value == 0


@pytest.mark.parametrize("both", [{}, {"width": 0.5, "bins": 30}])
def test_width_and_bins_exclude_each_other(both):
    with pytest.raises(ValidationError, match="either `width` or `bins`"):
        binned_information.Config(**both)


@EVERY
def test_more_than_the_label_is_known_without_saturation_while_classes_still_cluster(estimate):
    t = 100.0 * torch.nn.functional.one_hot(torch.arange(16) // 2)  # eight pairs, four in a class
    for of_input, of_label in estimate(t, torch.arange(16) // 8):
        assert of_input.value == pytest.approx(3) and not of_input.saturated
        assert of_label.value == pytest.approx(1) and not of_label.saturated


def relative(r):
    return kde_information.Config(relative_noise_variance=r)


def test_noise_relative_to_the_spread_leaves_a_scaled_and_shifted_layer_its_value():
    t, y = torch.randn(64, 5, generator=torch.Generator().manual_seed(0)), torch.arange(64) % 2
    first = estimates(kde_information, t, y, relative(0.1))
    for scaled in (1e-4 * t, 3.7 * t + 11, -1e4 * t):
        other = estimates(kde_information, scaled, y, relative(0.1))
        for name, found in first.items():
            assert other[name].value == pytest.approx(found.value, abs=1e-4), name
    fixed = [estimates(kde_information, k * t, y, KDE) for k in (1, 0.1)]
    names = "information_input_bits_upper"
    assert fixed[0][names].value > fixed[1][names].value + 1


@pytest.mark.parametrize("d", [1, 30, 3000])
@pytest.mark.parametrize("r", [0.05, 0.3, 1.0])
def test_noise_relative_to_the_spread_leaves_at_most_the_inverse_of_its_share(r, d):
    t = torch.randn(200, d, generator=torch.Generator().manual_seed(0))
    found = estimates(kde_information, t, torch.arange(200) % 2, relative(r))
    lower, upper = (found[f"information_input_bits_{b}"].value for b in ("lower", "upper"))
    assert 0 < lower <= 1 / (4 * r * math.log(2)) and lower < upper <= 1 / (r * math.log(2))


def test_a_wide_layer_is_saturated_under_fixed_noise_and_not_under_relative_noise():
    t, y = torch.randn(200, 3000, generator=torch.Generator().manual_seed(0)), torch.arange(200) % 2
    fixed = estimates(kde_information, t, y, KDE)
    assert all(found.saturated for found in fixed.values())
    assert not any(
        found.saturated for found in estimates(kde_information, t, y, relative(0.3)).values()
    )


def test_relative_noise_on_a_constant_layer_carries_nothing():
    found = estimates(kde_information, torch.full((9, 3), 0.1), torch.arange(9), relative(0.1))
    assert all(one.value == 0 for one in found.values())


def test_fixed_and_relative_noise_exclude_each_other():
    with pytest.raises(ValidationError, match="either `noise_variance` or"):
        kde_information.Config(noise_variance=0.1, relative_noise_variance=0.1)


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("measure", "config"),
    [(kde_information, KDE), (binned_information, WIDTH), (binned_information, BINS)],
)
def test_a_layer_with_a_value_that_is_not_finite_has_no_value(measure, config, broken):
    t = torch.zeros(8, 3)
    t[5, 1] = broken
    for one in estimates(measure, t, torch.arange(8) % 2, config).values():
        assert math.isnan(one.value) and one.ceiling > 0 and one.saturated is False
