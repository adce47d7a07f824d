"""Accuracy under corruptions, of networks that see one number of an image."""

import pytest
import torch
from torch import nn

from robustinfo.core.measurement import Measurement
from robustinfo.diagnostics import corruption_accuracy
from robustinfo.diagnostics.corruption_accuracy import OF_ALL, OF_ONE, relative_error


class Bright(nn.Module):
    """Class 1 where the mean of an image is above a half."""

    def forward(self, x):
        brightness = x.flatten(1).mean(1)
        return torch.stack([0.5 - brightness, brightness - 0.5], 1)


MEANS = torch.tensor([0.1, 0.25, 0.32, 0.37, 0.42, 0.47, 0.6])
X = MEANS.view(-1, 1, 1, 1).expand(-1, 1, 8, 8).contiguous()
Y = (MEANS > 0.5).long()


def measured(seed=0, x=X, y=Y, model=None, **settings):
    config = corruption_accuracy.Config(**settings)
    generator = torch.Generator().manual_seed(seed)
    return corruption_accuracy.diagnose(model or Bright(), x, y, config=config, generator=generator)


def test_brightness_turns_what_it_lifts_above_the_threshold():
    """CIFAR-10-C adds 0.05, 0.1, 0.15, 0.2 and 0.3; contrast keeps every mean."""
    found = measured(corruptions=["brightness", "contrast"])
    expected = [6 / 7, 5 / 7, 4 / 7, 3 / 7, 2 / 7]
    of_brightness = [one for one in found if one.input == "brightness"]
    assert [one.value for one in of_brightness] == pytest.approx([*expected, 4 / 7])
    assert [one.level for one in of_brightness] == [1, 2, 3, 4, 5, None]
    assert all(one.value == 1 for one in found if one.input == "contrast")
    (whole,) = [one for one in found if one.quantity == OF_ALL]
    assert whole.value == pytest.approx((4 / 7 + 1) / 2) and whole.input == ""
    of_each = torch.tensor([1, 0.8, 0.6, 0.4, 0.2, 0, 1.0]) / 2 + 0.5
    half_width = 1.96 * of_each.std().item() / 7**0.5
    assert 0 < whole.low < whole.value - half_width < whole.value + half_width < whole.high < 1


def test_all_of_the_paper_without_frost_are_asked_at_every_severity_unless_some_are_named():
    assert len(measured()) == 14 * 6 + 1
    few = measured(corruptions=["fog"], severities=[2, 4])
    assert [(one.input, one.level) for one in few] == [
        ("fog", 2), ("fog", 4), ("fog", None), ("", None)
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no corruption 'hail'"):
        measured(corruptions=["hail"])


def test_another_network_with_the_same_seed_sees_the_same_images():
    seen = []

    class Watching(Bright):
        def forward(self, x):
            seen.append(x.clone())
            return super().forward(x)

    for _ in range(2):
        measured(model=Watching(), corruptions=["gaussian_noise", "snow"])
    assert len(seen) == 20
    assert all(a.equal(b) for a, b in zip(seen[:10], seen[10:], strict=True))


def rows(**accuracies):
    return [Measurement(OF_ONE, value, input=name) for name, value in accuracies.items()]


def test_the_corruption_error_is_the_mean_of_ratios_of_errors():
    (found,) = relative_error(rows(fog=0.9, snow=0.6), rows(fog=0.8, snow=0.8))
    assert found.value == pytest.approx((0.1 / 0.2 + 0.4 / 0.2) / 2)
    same = measured(corruptions=["brightness"])
    assert relative_error(same, same)[0].value == 1
    assert relative_error(rows(fog=0.9), rows(fog=1.0)) == []
    assert relative_error(same, []) == []
