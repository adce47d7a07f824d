"""The ball of l1 and the box together: against linear programmes and a bisection."""

import numpy as np
import pytest
import torch
from scipy.optimize import brentq, linprog

from robustinfo.maths.balls import ascended, distance, feasible, projected
from robustinfo.maths.norms.l1 import largest_change
from robustinfo.maths.norms.l1 import projected as nearest

D = 12


@pytest.fixture
def drawn():
    """Images, some of whose values are 0 or 1, and where they are pulled to: (n, 1, 3, 4) each."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(40, 1, 3, 4, generator=generator, dtype=torch.double)
    x = (1.6 * x - 0.3).clamp(0, 1)
    return x, x + torch.randn(x.shape, generator=generator, dtype=torch.double)


def highest(slope, x, epsilon):
    """The largest <slope, z - x> in the ball around x and in the box, by HiGHS. All (d,)."""
    rises = np.concatenate([slope, -slope])  # of what is added to the values, and taken off them
    bounds = [(0, room) for room in np.concatenate([1 - x, x])]
    return -linprog(-rises, A_ub=np.ones((1, 2 * D)), b_ub=[epsilon], bounds=bounds).fun


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 1.0, 3.0])
def test_the_projection_is_the_nearest_point_of_ball_and_box(epsilon, drawn):
    """Just at the nearest point z of a convex set no other one is further along goal - z."""
    x, goal = drawn
    found = projected(x, goal, "l1", epsilon)
    assert feasible(x, found, "l1", epsilon).all()
    for z, middle, aim in zip(*(one.flatten(1).numpy() for one in (found, x, goal)), strict=True):
        away = aim - z
        assert highest(away, middle, epsilon) == pytest.approx(away @ (z - middle), abs=1e-9)


def test_it_is_so_for_images_of_many_values_with_a_root_by_bisection():
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(8, 3, 32, 32, generator=generator)
    goal = x + torch.randn(x.shape, generator=generator)
    found = projected(x, goal, "l1", 12.0)
    pull, middle = (goal - x).flatten(1).double(), x.flatten(1).double()
    room = torch.where(pull > 0, 1 - middle, middle)
    for image, (size, most) in enumerate(zip(pull.abs(), room, strict=True)):

        def over(t, size=size, most=most):
            return torch.minimum((size - t).clamp(min=0), most).sum().item() - 12

        t = brentq(over, 0, 10, xtol=1e-14)
        kept = torch.minimum((size - t).clamp(min=0), most).copysign(pull[image])
        twin = (middle[image] + kept).to(x).view_as(x[image])
        torch.testing.assert_close(found[image], twin, atol=2e-7, rtol=0)


def test_each_image_may_have_a_radius_of_its_own(drawn):
    x, goal = drawn
    radii = torch.linspace(0, 4, len(x), dtype=torch.double)
    together = nearest(x, goal, radii)
    for image, radius in enumerate(radii):
        alone = nearest(x[[image]], goal[[image]], float(radius))
        torch.testing.assert_close(together[[image]], alone)


@pytest.mark.parametrize("epsilon", [0.3, 2.0, 20.0])
def test_the_largest_rise_is_the_linear_programmes(epsilon, drawn):
    x, goal = drawn
    slope = (goal - x).flatten(1)
    slope[:, ::5] = 0
    room = torch.where(slope > 0, 1 - x.flatten(1), x.flatten(1))
    change = largest_change(room, slope.abs(), epsilon)
    assert (change >= 0).all() and (change <= room).all()
    assert (change.sum(1) <= epsilon + 1e-12).all()
    for image, g, rise in zip(x.flatten(1), slope, (change * slope.abs()).sum(1), strict=True):
        best = highest(g.numpy(), image.numpy(), epsilon)
        assert rise.item() == pytest.approx(best, abs=1e-9)


def test_a_step_goes_straight_towards_that_point_and_stops_there(drawn):
    x, goal = drawn
    gradient = goal - x
    room = torch.where(gradient > 0, 1 - x, x).flatten(1)
    best = largest_change(room, gradient.abs().flatten(1), 2.0).view_as(x)
    at = projected(x, x - gradient, "l1", 2.0)
    step = ascended(x, at, gradient, size=0.5, norm="l1", epsilon=2.0)
    torch.testing.assert_close(distance(step - at, "l1"), torch.full((40,), 0.5, dtype=x.dtype))
    end = ascended(x, at, gradient, size=100.0, norm="l1", epsilon=2.0)
    torch.testing.assert_close(end, x + best.copysign(gradient))
    assert feasible(x, step, "l1", 2.0).all() and feasible(x, end, "l1", 2.0).all()
