import math

import pytest
import torch
from scipy.optimize import linprog, minimize
from torch.nn import functional as F

from robustinfo.maths.balls import projected
from robustinfo.maths.stationarity import first_order_gap, log_odds

PIXELS = (1, 2, 4)


@pytest.fixture
def problems(generator):
    """Twelve images, some pixels on the box's edge, points of their balls, gradients with zeros."""
    x = torch.rand(12, *PIXELS, generator=generator)
    x[:6, 0, 0, :2] = torch.tensor([0.0, 1.0])
    gradient = torch.randn(12, *PIXELS, generator=generator)
    gradient[::3, 0, 1, 0] = 0
    moved = x + torch.randn(12, *PIXELS, generator=generator)
    return x, moved, gradient


def by_linprog(x, at, gradient, epsilon):
    bounds = [(max(0, a - epsilon), min(1, a + epsilon)) for a in x]
    return -linprog([-g for g in gradient], bounds=bounds).fun - at @ gradient


def by_slsqp(x, at, gradient, epsilon):
    """A linear objective on a convex set: a local optimum is the optimum."""
    x, slope = x.numpy(), -(gradient / gradient.norm()).numpy()
    ball = {
        "type": "ineq",
        "fun": lambda z: epsilon**2 - ((z - x) ** 2).sum(),
        "jac": lambda z: 2 * (x - z),
    }
    options = {"ftol": 1e-14, "maxiter": 500}
    found = minimize(
        lambda z: z @ slope, x, jac=lambda z: slope, bounds=[(0, 1)] * len(x), method="SLSQP",
        constraints=ball, options=options,
    )  # fmt: skip
    return -found.fun * gradient.norm() - at @ gradient


@pytest.mark.parametrize("epsilon", [0.05, 0.4, 1.0, 2.0])
@pytest.mark.parametrize("norm, slow", [("linf", by_linprog), ("l2", by_slsqp)])
def test_it_is_what_a_solver_finds(norm, slow, epsilon, problems):
    x, moved, gradient = problems
    at = projected(x, moved, norm, epsilon)
    found = first_order_gap(x, at, gradient, norm, epsilon)
    flat = (one.double().flatten(1) for one in (x, at, gradient))
    expected = [float(slow(*row, epsilon)) for row in zip(*flat, strict=True)]
    torch.testing.assert_close(found, torch.tensor(expected).double(), atol=1e-6, rtol=0)


def test_inside_the_box_it_is_epsilon_times_the_dual_norm_of_the_gradient(generator):
    x = torch.full((5, *PIXELS), 0.5)
    gradient = torch.randn(5, *PIXELS, generator=generator)
    flat = gradient.double().flatten(1)
    for norm, dual in (("linf", 1), ("l2", 2)):
        found = first_order_gap(x, x, gradient, norm, 0.1)
        torch.testing.assert_close(found, 0.1 * flat.norm(dual, dim=1))


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_it_is_zero_where_the_ball_ends_along_the_gradient(norm, generator):
    x = torch.full((5, *PIXELS), 0.5)
    gradient = torch.randn(5, *PIXELS, generator=generator)
    direction = gradient.sign() if norm == "linf" else F.normalize(gradient.flatten(1))
    end = x + 0.1 * direction.view_as(x)
    found = first_order_gap(x, end, gradient, norm, 0.1)
    assert (found < 1e-7).all() and (found >= 0).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_gradient_of_any_size_is_measured_and_none_is_nothing(norm, problems):
    x, moved, gradient = problems
    at = projected(x, moved, norm, 0.4)
    whole = first_order_gap(x, at, gradient.double(), norm, 0.4)
    for size in (1e-200, 1e200):
        part = first_order_gap(x, at, size * gradient.double(), norm, 0.4)
        torch.testing.assert_close(part / size, whole, rtol=1e-9, atol=1e-9)
    assert (first_order_gap(x, at, torch.zeros_like(x), norm, 0.4) == 0).all()


def test_a_pixel_at_the_edge_of_the_box_leaves_its_length_to_the_others():
    """Of (0.6, 0.8) only the second can move in l2: by all of epsilon, not by 0.8 of it."""
    x, gradient = (
        torch.tensor([1.0, 0.2]).view(1, 1, 1, 2),
        torch.tensor([0.6, 0.8]).view(1, 1, 1, 2),
    )
    assert first_order_gap(x, x, gradient, "l2", 0.5).item() == pytest.approx(0.8 * 0.5)


def test_the_cross_entropy_is_the_softplus_of_the_log_odds(generator):
    logits, y = torch.randn(20, 5, generator=generator), torch.arange(20) % 5
    expected = F.cross_entropy(logits.double(), y, reduction="none")
    torch.testing.assert_close(F.softplus(log_odds(logits, y)), expected)


def test_log_odds_tell_apart_what_the_cross_entropy_rounds_to_zero():
    logits, y = torch.tensor([[0.0, 60.0, 0.0], [0.0, 61.0, 0.0]]), torch.tensor([1, 1])
    assert (F.cross_entropy(logits.double(), y, reduction="none") == 0).all()
    torch.testing.assert_close(
        log_odds(logits, y), math.log(2) - torch.tensor([60.0, 61.0]).double()
    )
