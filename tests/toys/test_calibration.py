"""Channels of known information, and what estimators make of them."""

import math

import pytest
import torch

from robustinfo.core.errors import UserError
from robustinfo.toys import gaussian_channel, label_channel
from robustinfo.toys._calibration import QUANTITIES

KDE = {"method": "kde_information", "noise_variance": 0.1}
BINS = {"method": "binned_information", "width": 0.5}
KSG = {"method": "ksg_information"}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def rows(toy, seed=0, **settings):
    """{(layer, input, level, quantity): row}."""
    found = toy.compute(config=toy.Config(**settings), generator=seeded(seed))
    return {(one.layer, one.input, one.level, one.quantity): one for one in found}


def test_the_gaussian_channel_s_samples_have_its_covariances():
    made = gaussian_channel.channel(2, 3.0)
    x, t, clean, y = made.sample(40_000, seeded())
    variance = 0.1 * (2**3 - 1)
    assert made.spread == pytest.approx(2 * variance)
    near = {"rtol": 0, "atol": 0.03}
    torch.testing.assert_close(t.T.cov(), (variance + 0.1) * torch.eye(2).double(), **near)
    torch.testing.assert_close((t - clean).T.cov(), 0.1 * torch.eye(2).double(), **near)
    correlation = torch.corrcoef(torch.stack([x[:, 0], t[:, 0]]))[0, 1].item()
    assert -math.log2(1 - correlation**2) == pytest.approx(3, abs=0.05)  # of both coordinates
    assert y.bincount().tolist() == [(x[:, 0] <= 0).sum(), (x[:, 0] > 0).sum()]


@pytest.mark.parametrize("dimension", [1, 3, 50])
def test_the_gaussian_channel_holds_its_bits_in_any_dimension(dimension):
    bits = gaussian_channel.channel(dimension, 2.0).bits
    assert bits(0.0, None) == pytest.approx(2, abs=1e-10)
    assert bits(0.1, None) == pytest.approx(2, abs=1e-10)  # an estimator's noise is the channel's
    assert bits(0.4, None) < 2 < bits(0.01, None)


def test_a_planted_label_is_wrong_as_often_as_it_is_said():
    config = label_channel.Config(measure=KSG, error=0.1)
    t, y = label_channel.channel(3, config).sample(20_000, seeded())[1::2]
    nearest = (t[:, 0] / 8).round().long()
    assert (nearest != y).double().mean().item() == pytest.approx(0.1, abs=0.01)
    assert y.bincount().tolist() == [5000] * 4
    mistaken = (nearest - y)[nearest != y] % 4
    assert mistaken.bincount()[1:].double().std() < 60  # each other class as often
    assert t[:, 1:].std().item() == pytest.approx(1, abs=0.02)


def test_channels_of_labels_hold_what_is_known_of_them():
    def truth(**settings):
        config = label_channel.Config(measure=KSG, **settings)
        return label_channel.channel(7, config).bits(0.0, None)

    assert truth() == pytest.approx(2, abs=1e-3)  # a copy of four labels
    assert truth(separation=20.0) == pytest.approx(2, abs=1e-10)
    planted = 2 + 0.9 * math.log2(0.9) + 0.1 * math.log2(0.1) - 0.1 * math.log2(3)
    assert truth(error=0.1, separation=20.0) == pytest.approx(planted, abs=1e-10)
    assert truth(error=0.75) == pytest.approx(0, abs=1e-10)
    assert 0.4 < truth(classes=2, separation=2.0) < 0.5


def test_rows_are_the_statistics_of_the_draws():
    settings = {"points": (40,), "dimensions": (1, 2), "draws": 3}
    found = rows(gaussian_channel, measure=KSG, **settings)
    assert {key[:3] for key in found} == {("", "40 samples", 1.0), ("", "40 samples", 2.0)}
    row = {quantity: found["", "40 samples", 2.0, quantity] for quantity in QUANTITIES}
    value = {quantity: one.value for quantity, one in row.items()}
    assert value["truth_bits"] == pytest.approx(2)
    bias = value["estimate_bits"] / 2 - 1
    assert value["relative_bias"] == pytest.approx(bias)
    # The mean square is that of the mean and that around it.
    square = bias**2 + 2 / 3 * (value["deviation_bits"] / 2) ** 2
    assert value["relative_error"] == pytest.approx(math.sqrt(square))
    assert value["believable"] == float(value["relative_error"] <= 0.1)
    assert row["estimate_bits"].low < value["estimate_bits"] < row["estimate_bits"].high
    assert all(one.n == 40 for one in row.values())


def test_ksg_may_be_believed_in_one_dimension_and_not_in_thirty():
    settings = {"points": (600,), "dimensions": (1, 30), "draws": 4}
    found = rows(gaussian_channel, measure=KSG, **settings)
    believed = [found["", "600 samples", d, "believable"].value for d in (1.0, 30.0)]
    assert believed == [1, 0]
    assert found["", "600 samples", 30.0, "relative_bias"].value < -0.5


def test_kernels_and_bins_are_at_their_ceiling_in_many_dimensions_and_not_in_one():
    settings = {"points": (200,), "dimensions": (1, 30), "draws": 2, "error": 0.1}
    for estimator, layers in ((KDE, ("upper", "lower")), (BINS, ("",))):
        found = rows(label_channel, measure=estimator, **settings)
        for layer in layers:
            one, many = (found[layer, "200 samples", d, "relative_bias"] for d in (1.0, 30.0))
            assert not one.saturated and abs(one.value) < 0.3
            assert many.saturated and many.value > 0.4
            assert found[layer, "200 samples", 30.0, "believable"].value == 0


def test_bins_of_a_layer_without_noise_hold_what_is_known_of_them():
    found = rows(gaussian_channel, measure=BINS, points=(2000,), dimensions=(1,), draws=3)
    assert found["", "2000 samples", 1.0, "believable"].value == 1
    assert abs(found["", "2000 samples", 1.0, "relative_bias"].value) < 0.02


def test_the_generator_alone_decides_and_another_seed_draws_other_samples():
    settings = {"measure": KSG, "points": (20,), "dimensions": (1,), "draws": 2, "separation": 2.0}
    assert rows(label_channel, 0, **settings) == rows(label_channel, 0, **settings)
    one, other = (rows(label_channel, seed, **settings) for seed in (0, 1))
    key = ("", "20 samples", 1.0, "estimate_bits")
    assert one[key].value != other[key].value


def test_bins_over_a_sample_s_range_are_refused():
    entry = {"method": "binned_information", "bins": 30}
    with pytest.raises(UserError, match="give `width`"):
        rows(gaussian_channel, measure=entry, points=(20,), dimensions=(1,), draws=2)
