import math

import pytest
import torch

from robustinfo.maths import norms
from robustinfo.maths.balls import (
    ascended,
    distance,
    feasible,
    projected,
    same_ball,
    spread,
    uniform,
)

ALL = pytest.mark.parametrize("norm", ["linf", "l2", "l1"])


def test_norms_of_a_3_4_triangle_are_4_5_and_7():
    delta = torch.tensor([[[[3.0, -4.0]]], [[[0.0, 0.0]]]])
    assert distance(delta, "linf").tolist() == [4, 0]
    assert distance(delta, "l2").tolist() == [5, 0]
    assert distance(delta, "l1").tolist() == [7, 0]


@ALL
def test_a_step_of_exactly_epsilon_is_feasible_and_one_just_beyond_is_not(norm):
    x = torch.full((1, 1, 2, 2), 0.25, dtype=torch.float64)
    step = torch.zeros_like(x)
    step[0, 0, 0, 0] = 0.5
    assert feasible(x, x + step, norm, 0.5)
    rounding = norms.of(norm).tolerance(0.5, 4)
    assert 1e-6 <= rounding < 2e-6
    assert feasible(x, x + step, norm, 0.5 - 0.9 * rounding)
    assert not feasible(x, x + step, norm, 0.5 - 1.1 * rounding)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -1e-7, 1 + 1e-6])
@pytest.mark.parametrize("epsilon", [None, 10.0])
def test_one_pixel_that_is_no_pixel_makes_its_image_alone_infeasible(bad, epsilon):
    x = torch.full((3, 1, 2, 2), 0.5)
    x_adv = x.clone()
    x_adv[1, 0, 1, 1] = bad
    assert feasible(x, x_adv, "l2", epsilon).tolist() == [True, False, True]


def test_without_epsilon_any_image_in_the_box_is_feasible():
    black, white = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    assert feasible(black, white, "l2", None)
    assert not feasible(black, white, "linf", 0.99)


@pytest.mark.parametrize("norm", ["l2", "l1"])
@pytest.mark.parametrize("epsilon", [0.5, 4.5, 20.0])
def test_rounding_in_float32_never_puts_a_projected_image_outside_its_ball(epsilon, norm):
    generator = torch.Generator().manual_seed(0)
    x = torch.zeros(256, 3, 64, 64)
    delta = torch.rand(x.shape, generator=generator)
    delta *= epsilon / distance(delta, norm)[:, None, None, None]
    assert feasible(x, x + delta, norm, epsilon).all()
    shorter = epsilon - 3 * norms.of(norm).tolerance(epsilon, x[0].numel())
    assert not feasible(x, x + delta, norm, shorter).any()


@pytest.mark.parametrize("epsilon", [0.5, 20.0])
def test_rounding_of_values_near_1_adds_up_over_the_image_and_stays_within_its_l1_ball(epsilon):
    generator = torch.Generator().manual_seed(0)
    x = 0.5 + 0.5 * torch.rand(64, 3, 64, 64, generator=generator)
    x_adv = projected(x, x + 0.1 * torch.randn(x.shape, generator=generator), "l1", epsilon)
    size = distance(x_adv.double() - x.double(), "l1")
    assert feasible(x, x_adv, "l1", epsilon).all()
    assert (size > epsilon).any() and (size > 0.9999 * epsilon).all()


@pytest.mark.parametrize("norm, expected", [("linf", [0.6, 0.4, 0.5]), ("l2", [0.56, 0.42, 0.5])])
def test_a_perturbation_of_3_4_is_cut_in_linf_and_made_shorter_in_l2(norm, expected):
    x = torch.full((2, 1, 1, 3), 0.5)
    x_adv = x + torch.tensor([[[[0.3, -0.4, 0.0]]], [[[0.03, -0.04, 0.0]]]])
    found = projected(x, x_adv, norm, 0.1)
    torch.testing.assert_close(found[0, 0, 0], torch.tensor(expected))
    torch.testing.assert_close(found[1], x_adv[1])


@ALL
def test_a_projected_image_is_feasible_and_without_epsilon_only_the_box_counts(norm):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(64, 3, 8, 8, generator=generator)
    x_adv = x + torch.randn(x.shape, generator=generator)
    assert feasible(x, projected(x, x_adv, norm, 0.3), norm, 0.3).all()
    assert projected(x, x_adv, norm, None).equal(x_adv.clamp(0, 1))


@ALL
def test_what_lies_within_stays_where_it_is_but_for_rounding_and_a_second_time_too(norm):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(64, 3, 8, 8, generator=generator)
    x_adv = x + 0.01 * torch.randn(x.shape, generator=generator)
    inside = projected(x, x_adv, norm, 5.0)
    torch.testing.assert_close(inside, x_adv.clamp(0, 1), atol=1e-7, rtol=0)
    cut = projected(x, x_adv, norm, 0.005)
    torch.testing.assert_close(projected(x, cut, norm, 0.005), cut, atol=1e-7, rtol=0)
    assert projected(x, x, norm, 0.0).equal(x)


def test_a_step_rises_by_the_dual_norm_of_the_gradient_and_not_at_all_where_there_is_none():
    x, gradient = torch.full((2, 1, 1, 3), 0.5), torch.zeros(2, 1, 1, 3)
    gradient[0] = torch.tensor([3.0, -4.0, 0.0])
    dual = {"linf": 7, "l2": 5, "l1": 4}
    for norm, rise in dual.items():
        step = ascended(x, x, gradient, size=0.1, norm=norm, epsilon=0.3) - x
        assert (gradient * step).sum().item() == pytest.approx(0.1 * rise)
        assert distance(step, norm).tolist() == pytest.approx([0.1, 0])


def test_points_of_the_linf_ball_are_uniform_in_every_pixel():
    torch.manual_seed(0)
    drawn = (uniform(torch.full((4000, 1, 2, 2), 0.5), "linf", 0.2) - 0.5).flatten().sort().values
    expected = torch.linspace(-0.2, 0.2, len(drawn))
    assert (drawn - expected).abs().max() < 0.2 * 2 * 1.63 / math.sqrt(
        len(drawn)
    )  # 1 % of Kolmogorov


def test_points_of_the_l2_ball_are_as_dense_outside_as_inside_in_every_direction():
    """Within t of the radius r lies (t / r)^d of the ball."""
    torch.manual_seed(0)
    drawn = uniform(torch.zeros(4000, 1, 2, 3), "l2", 2.0)
    share = (distance(drawn, "l2") / 2).pow(6).sort().values
    assert (share - torch.linspace(0, 1, 4000)).abs().max() < 1.63 / math.sqrt(4000)
    # The mean square of each of d coordinates is r^2 / (d + 2), and the mean is 0.
    flat = drawn.flatten(1)
    torch.testing.assert_close(flat.square().mean(0), torch.full((6,), 0.5), atol=0.03, rtol=0)
    torch.testing.assert_close(flat.mean(0), torch.zeros(6), atol=0.04, rtol=0)


def test_points_of_the_l1_ball_are_as_dense_outside_as_inside_and_in_every_orthant():
    """Within t of the radius r lies (t / r)^d of the ball."""
    torch.manual_seed(0)
    drawn = uniform(torch.zeros(4000, 1, 2, 3), "l1", 2.0)
    share = (distance(drawn, "l1") / 2).pow(6).sort().values
    assert (share - torch.linspace(0, 1, 4000)).abs().max() < 1.63 / math.sqrt(4000)
    # The mean of each |coordinate| is r / (d + 1), and that of its square 2 r^2 / (d + 1) (d + 2).
    flat = drawn.flatten(1)
    torch.testing.assert_close(flat.abs().mean(0), torch.full((6,), 2 / 7), atol=0.02, rtol=0)
    torch.testing.assert_close(flat.square().mean(0), torch.full((6,), 1 / 7), atol=0.02, rtol=0)
    torch.testing.assert_close(flat.sign().mean(0), torch.zeros(6), atol=0.05, rtol=0)


@pytest.mark.parametrize(("norm", "radius"), [("linf", 0.2), ("l2", 2.0), ("l1", 2.5), ("l1", 0.3)])
def test_points_to_look_around_at_lie_at_the_edge_or_anywhere_within(norm, radius):
    x, generator = torch.full((500, 1, 4, 5), 0.5), torch.Generator().manual_seed(0)
    at_edge = spread(x, norm, radius, edge=True, generator=generator) - x
    within = distance(spread(x, norm, radius, edge=False, generator=generator) - x, norm)
    torch.testing.assert_close(distance(at_edge, norm), torch.full((500,), radius))
    assert (within <= radius).all() and within.std() > 0
    if norm == "l1":
        assert ((at_edge != 0).flatten(1).sum(1) == math.ceil(radius)).all()
        assert (at_edge != 0).any(0).all()  # whichever values


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("linf", 8 / 255), ("linf", 0.0314), True),  # as papers round it
        (("linf", 8 / 255), ("linf", 0.031), False),
        (("linf", 8 / 255), ("linf", 8 / 255 + 1e-9), True),
        (("linf", 8 / 255), ("l2", 8 / 255), False),
        (("l2", 1.5), ("l2", 1.5014), True),
        (("l2", 1.5), ("l2", 1.502), False),
        (("l2", 0.0), ("l2", 0.0), True),
        (("l2", 0.0), ("l2", 1e-9), False),
        (("l2", None), ("l2", None), True),
        (("l2", None), ("l2", 1.0), False),
        (("l2", None), ("linf", None), False),
    ],
)
def test_two_balls_are_one_if_their_epsilons_differ_by_no_more_than_a_thousandth(
    one, other, expected
):
    assert same_ball(one, other) is expected and same_ball(other, one) is expected


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_every_image_may_have_an_epsilon_of_its_own(norm):
    x, x_adv = torch.rand(2, 4, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    epsilons = torch.tensor([0.0, 0.1, 0.3, 9.0])
    each = [
        projected(a[None], b[None], norm, e.item())
        for a, b, e in zip(x, x_adv, epsilons, strict=True)
    ]
    torch.testing.assert_close(projected(x, x_adv, norm, epsilons), torch.cat(each))
    assert projected(x, x_adv, norm, epsilons)[3].allclose(x_adv[3])
