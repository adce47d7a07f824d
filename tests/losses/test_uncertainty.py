"""Entropy maximisation and label smoothing, by their printed formulas and by their optimum."""

import math

import pytest
import torch
from scipy.special import lambertw
from torch.nn import functional as F

from robustinfo.core import registry
from robustinfo.maths.divergence import kl_of_softmax

ENTM = {"method": "entropy_maximised"}
SMOOTHED = {"method": "label_smoothed"}
EITHER = [
    ENTM | {"weight": 2.0}, ENTM | {"weight": 0.3}, SMOOTHED | {"smoothing": 0.74},
    SMOOTHED | {"smoothing": 1.0},
]  # fmt: skip


def batch(scale=1.0, classes=10):
    generator = torch.Generator().manual_seed(0)
    logits = scale * torch.randn(40, classes, generator=generator)
    return logits.requires_grad_(), torch.arange(40) % classes


def with_slope(entry, logits, y):
    value = registry.get("losses", entry)(logits, y)
    return value, torch.autograd.grad(value, logits)[0]


def printed(entry, logits, y):
    """Image by image, as the paper prints it."""
    k, total = logits.shape[1], 0.0
    for p, label in zip(logits.softmax(1), F.one_hot(y, k), strict=True):
        if entry["method"] == "entropy_maximised":
            entropy = -sum(one * one.log() for one in p)
            total = total - (label * p.log()).sum() - entry["weight"] * entropy
        else:
            target = label - entry["smoothing"] * (label - 1 / k)
            total = total - (target * p.log()).sum()
    return total / len(y)


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0, 50.0])
@pytest.mark.parametrize("entry", EITHER, ids=str)
def test_value_and_gradient_are_those_of_the_printed_formula_in_float64(entry, scale):
    logits, y = batch(scale)
    found, slope = with_slope(entry, logits, y)
    exact = logits.detach().double().requires_grad_()
    expected = printed(entry, exact, y)
    (steep,) = torch.autograd.grad(expected, exact)
    assert exact.softmax(1).min() > 0  # or the formula as printed would be nan
    torch.testing.assert_close(found.double(), expected, rtol=2e-6, atol=1e-6)
    torch.testing.assert_close(slope.double(), steep, rtol=1e-4, atol=2e-8)


@pytest.mark.parametrize("entry", [ENTM | {"weight": 0.0}, SMOOTHED | {"smoothing": 0.0}], ids=str)
def test_with_a_weight_of_0_both_are_the_cross_entropy_bit_for_bit(entry):
    logits, y = batch(5.0)
    found, expected = (with_slope(one, logits, y) for one in (entry, {"method": "cross_entropy"}))
    assert all(one.equal(other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("label, nats", [(0, 0.0), (1, 1e4)])
def test_a_prediction_beyond_float32_has_no_entropy_and_the_cross_entropys_slope(label, nats):
    logits = torch.tensor([[1e4, 0.0, -1e4]]).requires_grad_()
    value, slope = with_slope(ENTM, logits, torch.tensor([label]))
    assert value.item() == nats
    assert slope.equal(torch.eye(3)[[0]] - torch.eye(3)[[label]])


def test_a_smoothed_label_of_a_prediction_beyond_float32_has_a_finite_price():
    logits = torch.tensor([[1e4, 0.0, -1e4]]).requires_grad_()
    value, slope = with_slope(SMOOTHED | {"smoothing": 0.3}, logits, torch.tensor([0]))
    assert value.item() == pytest.approx(0.1 * 1e4 + 0.1 * 2e4)
    torch.testing.assert_close(slope, torch.tensor([[1 - 0.8, -0.1, -0.1]]))


def test_the_weight_is_the_papers_unless_it_is_given():
    logits, y = batch()
    default, two = (with_slope(entry, logits, y)[0] for entry in (ENTM, ENTM | {"weight": 2.0}))
    assert default.equal(two)


@pytest.mark.parametrize("classes", [2, 10])
def test_both_pay_for_their_distance_from_the_uniform_prediction_in_opposite_directions(classes):
    """Equation 7 of the paper."""
    logits, y = batch(3.0, classes)
    flat, plain = torch.zeros_like(logits), F.cross_entropy(logits, y)
    most = math.log(classes)
    entm, _ = with_slope(ENTM | {"weight": 0.7}, logits, y)
    towards = kl_of_softmax(logits, flat).mean()
    torch.testing.assert_close(entm, plain + 0.7 * towards - 0.7 * most)
    smoothed, _ = with_slope(SMOOTHED | {"smoothing": 0.7}, logits, y)
    away = kl_of_softmax(flat, logits).mean()
    torch.testing.assert_close(smoothed, 0.3 * plain + 0.7 * away + 0.7 * most)
    assert (towards - away).abs() > 0.1


def optimum(weight, classes):
    """The true class's probability and each other's, by the formula in EntM's file."""
    own = 1 / (1 + weight * lambertw((classes - 1) * math.exp(-1 / weight) / weight).real)
    return own, (1 - own) / (classes - 1)


def matching(weight, classes):
    """The smoothing, by the formula in label smoothing's file."""
    return classes / (classes - 1) * (1 - optimum(weight, classes)[0])


@pytest.mark.parametrize("classes, printed", [(10, 0.74), (100, 0.84)])
def test_the_papers_smoothings_are_those_that_leave_the_other_classes_what_entm_does(
    classes, printed
):
    assert round(matching(2.0, classes), 2) == printed


@pytest.mark.parametrize("weight", [0.5, 2.0, 10.0])
@pytest.mark.parametrize("classes", [2, 10, 100])
def test_nothing_costs_less_than_the_optimum_that_both_share(weight, classes):
    own, other = optimum(weight, classes)
    logits = torch.full((1, classes), math.log(other))
    logits[0, 0] = math.log(own)
    y = torch.tensor([0])
    entries = ENTM | {"weight": weight}, SMOOTHED | {"smoothing": matching(weight, classes)}
    for entry in entries:
        least, slope = with_slope(entry, logits.clone().requires_grad_(), y)
        assert slope.abs().max() < 2e-6
        for size in (0.3, 3.0):
            moved = logits + size * batch(classes=classes)[0].detach()
            costs = torch.stack(
                [with_slope(entry, one[None].requires_grad_(), y)[0] for one in moved]
            )
            assert (costs > least - 1e-6).all() and costs.mean() > least + 1e-5


def test_label_smoothing_that_is_whole_asks_for_no_label():
    logits, y = batch()
    found = [with_slope(SMOOTHED | {"smoothing": 1.0}, logits, (y + k) % 10)[1] for k in range(2)]
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("entry", EITHER, ids=str)
def test_autocast_does_not_lower_the_precision(entry):
    logits, y = batch()
    coarse = logits.detach().bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = registry.get("losses", entry)(coarse, y)
    assert found.equal(registry.get("losses", entry)(coarse.float(), y))
