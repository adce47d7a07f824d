"""Calibration, on outputs that are known: against scikit-learn, and in closed form."""

import math

import pytest
import torch
from sklearn.metrics import brier_score_loss, log_loss
from torch import nn

from robustinfo.diagnostics import calibration


def measured(outputs, y):
    """By quantity; the images are the outputs."""
    found = calibration.diagnose(
        nn.Identity(), outputs, y, config=calibration.Config(),
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    return {one.quantity: one for one in found}


def logits(n=200, classes=5, scale=2.0):
    draws = torch.Generator().manual_seed(0)
    found = scale * torch.randn(n, classes, generator=draws)
    return found, torch.multinomial(found.softmax(1), 1, generator=draws).squeeze(1)


def test_likelihood_and_brier_score_are_scikit_learns():
    found, y = logits()
    by_quantity, p = measured(found, y), found.double().softmax(1).numpy()
    assert by_quantity["negative_log_likelihood"].value == pytest.approx(log_loss(y, p))
    expected = brier_score_loss(y, p, labels=range(5), scale_by_half=False)
    assert by_quantity["brier_score"].value == pytest.approx(expected)
    for one in by_quantity.values():
        assert one.n == 200
        assert one.quantity == "calibration_error_by_chance" or one.low < one.value < one.high


def test_labels_drawn_from_the_probabilities_are_calibrated_and_sharper_logits_too_sure():
    found, y = logits(n=2000)
    fair, sure = measured(found, y), measured(4 * found, y)
    error = fair["expected_calibration_error"]
    assert error.low == 0 and error.value < 2 * fair["calibration_error_by_chance"].value
    assert fair["overconfidence"].low < 0 < fair["overconfidence"].high
    assert sure["expected_calibration_error"].low > 0.1 and sure["overconfidence"].low > 0.1
    doubtful = measured(0.1 * found, y)
    assert doubtful["overconfidence"].high < -0.1
    assert doubtful["expected_calibration_error"].low > 0.1


def test_uniform_answers_have_the_entropy_of_a_guess():
    by_quantity = measured(torch.zeros(50, 10) + torch.arange(50)[:, None], torch.arange(50) % 10)
    assert by_quantity["negative_log_likelihood"].value == pytest.approx(math.log(10))
    assert by_quantity["brier_score"].value == pytest.approx(0.9)
    assert by_quantity["expected_calibration_error"].value == pytest.approx(0, abs=1e-12)


def test_probabilities_and_their_logarithms_are_taken_as_they_are():
    found, y = logits()
    expected = {name: one.value for name, one in measured(found, y).items()}
    for form in (found.softmax(1), found.log_softmax(1)):
        for name, one in measured(form, y).items():
            assert one.value == pytest.approx(expected[name], abs=1e-5)


def test_a_label_that_is_given_no_probability_is_infinitely_unlikely():
    p = torch.tensor([[1.0, 0.0], [0.3, 0.7], [0.6, 0.4]])
    found = measured(p, torch.tensor([1, 1, 0]))
    assert found["negative_log_likelihood"].value == math.inf
    assert found["brier_score"].value == pytest.approx((2 + 0.18 + 0.32) / 3)


def test_nothing_is_measured_of_labels_alone_and_no_number_of_outputs_that_are_none():
    y = torch.arange(20) % 4
    for labels in (nn.functional.one_hot(y, 4).float(), 2.0 * nn.functional.one_hot(y, 4) - 1):
        assert measured(labels, y) == {}
    broken = logits(20, 4)[0]
    broken[3, 1] = torch.nan
    found = measured(broken, y)
    assert {*found} == {*calibration.QUANTITIES}
    assert all(math.isnan(one.value) for one in found.values())
