"""The scale of logits on logits whose spread is known, and what it does to estimates."""

import pytest
import torch

from robustinfo.measures import kde_information, logit_scale
from tests.by_quantity import by_quantity

CONFIG = logit_scale.Config()


def scale(t):
    return logit_scale.estimate(t, torch.zeros(len(t)), config=CONFIG)[0]


def test_one_logit_of_ten_that_stands_out_by_5_has_the_scale_1_5():
    """5 * sqrt(0.1 * 0.9)."""
    found = scale(5 * torch.eye(10)[torch.arange(40) % 10])
    assert found.value == pytest.approx(1.5) and found.n == 40
    assert found.low == pytest.approx(1.5) and found.high == pytest.approx(1.5)


def test_two_kinds_of_images_have_the_mean_of_their_scales_and_its_interval():
    t = torch.tensor([[3.0, -3.0], [1.0, -1.0]]).repeat(50, 1)
    found = scale(t)
    reach = 1.96 * (100 / 99) ** 0.5 / 10
    assert found.value == pytest.approx(2.0)
    assert [found.low, found.high] == pytest.approx([2 - reach, 2 + reach])


def test_it_doubles_with_the_logits_and_does_not_see_what_is_added_to_all_of_an_image():
    t = torch.randn(200, 10, generator=torch.Generator().manual_seed(0))
    shifts = torch.randn(200, 1, generator=torch.Generator().manual_seed(1))
    assert scale(2 * t).value == pytest.approx(2 * scale(t).value)
    for same in (t + 100 * shifts, t.log_softmax(1)):
        assert scale(same).value == pytest.approx(scale(t).value, rel=1e-4)


def test_scale_alone_raises_information_under_fixed_noise_and_not_under_relative_noise():
    """Four clusters of logits, and the same ten times as large: every prediction is the same."""
    y = torch.arange(80) % 4
    t = 0.2 * torch.eye(4)[y]

    def label_bits(t, **noise):
        config = kde_information.Config(**noise)
        return by_quantity(kde_information.estimate(t, y, config=config))[
            "information_label_bits_lower"
        ]

    assert label_bits(t, noise_variance=0.1).value < 0.2
    assert label_bits(10 * t, noise_variance=0.1).value > 1.9
    relative = [label_bits(k * t, relative_noise_variance=0.02).value for k in (1, 10)]
    assert relative[0] == pytest.approx(relative[1], abs=1e-6)
    assert scale(10 * t).value == pytest.approx(10 * scale(t).value)
