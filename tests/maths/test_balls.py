import math

import pytest
import torch

from robustinfo.maths.balls import (
    TOLERANCE,
    distance,
    feasible,
    projected,
    same_ball,
    steepest,
    uniform,
)


def test_norms_of_a_3_4_triangle_are_4_and_5():
    delta = torch.tensor([[[[3.0, -4.0]]], [[[0.0, 0.0]]]])
    assert distance(delta, "linf").tolist() == [4, 0]
    assert distance(delta, "l2").tolist() == [5, 0]


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_step_of_exactly_epsilon_is_feasible_and_one_just_beyond_is_not(norm):
    x = torch.full((1, 1, 2, 2), 0.25, dtype=torch.float64)
    step = torch.zeros_like(x)
    step[0, 0, 0, 0] = 0.5
    assert feasible(x, x + step, norm, 0.5)
    assert feasible(x, x + step, norm, 0.5 - 0.9 * TOLERANCE)
    assert not feasible(x, x + step, norm, 0.5 - 1.1 * TOLERANCE)


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


@pytest.mark.parametrize("epsilon", [0.5, 4.5, 20.0])
def test_rounding_in_float32_never_puts_a_projected_image_outside_its_ball(epsilon):
    generator = torch.Generator().manual_seed(0)
    x = torch.zeros(256, 3, 64, 64)
    delta = torch.rand(x.shape, generator=generator)
    delta *= epsilon / distance(delta, "l2")[:, None, None, None]
    assert feasible(x, x + delta, "l2", epsilon).all()
    assert not feasible(x, x + delta, "l2", epsilon * (1 - 3e-6)).any()


@pytest.mark.parametrize("norm, expected", [("linf", [0.6, 0.4, 0.5]), ("l2", [0.56, 0.42, 0.5])])
def test_a_perturbation_of_3_4_is_cut_in_linf_and_made_shorter_in_l2(norm, expected):
    x = torch.full((2, 1, 1, 3), 0.5)
    x_adv = x + torch.tensor([[[[0.3, -0.4, 0.0]]], [[[0.03, -0.04, 0.0]]]])
    found = projected(x, x_adv, norm, 0.1)
    torch.testing.assert_close(found[0, 0, 0], torch.tensor(expected))
    torch.testing.assert_close(found[1], x_adv[1])


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_projected_image_is_feasible_and_without_epsilon_only_the_box_counts(norm):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(64, 3, 8, 8, generator=generator)
    x_adv = x + torch.randn(x.shape, generator=generator)
    assert feasible(x, projected(x, x_adv, norm, 0.3), norm, 0.3).all()
    assert projected(x, x_adv, norm, None).equal(x_adv.clamp(0, 1))


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_what_lies_within_stays_where_it_is_but_for_rounding_and_a_second_time_too(norm):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(64, 3, 8, 8, generator=generator)
    x_adv = x + 0.01 * torch.randn(x.shape, generator=generator)
    inside = projected(x, x_adv, norm, 5.0)
    torch.testing.assert_close(inside, x_adv.clamp(0, 1), atol=1e-7, rtol=0)
    cut = projected(x, x_adv, norm, 0.005)
    torch.testing.assert_close(projected(x, cut, norm, 0.005), cut, atol=1e-7, rtol=0)
    assert projected(x, x, norm, 0.0).equal(x)


def test_the_steepest_step_rises_by_the_dual_norm_of_the_gradient():
    gradient = torch.tensor([[[[3.0, -4.0, 0.0]]], [[[0.0, 0.0, 0.0]]]])
    assert steepest(gradient, "linf").flatten().tolist() == [1, -1, 0, 0, 0, 0]
    in_l2 = steepest(gradient, "l2")
    torch.testing.assert_close(in_l2[0].flatten(), torch.tensor([0.6, -0.8, 0.0]))
    assert not in_l2[1].any()
    rises = {norm: (gradient * steepest(gradient, norm)).sum().item() for norm in ("linf", "l2")}
    assert rises == {"linf": 7, "l2": pytest.approx(5)}


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
