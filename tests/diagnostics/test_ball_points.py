import pytest
import torch

from robustinfo.diagnostics._ball_points import COUNT, ball_points, logits_differ, varies
from robustinfo.maths.balls import distance, feasible

BALLS = [("linf", 0.1), ("l2", 0.7)]


@pytest.mark.parametrize("norm, epsilon", BALLS)
def test_every_second_point_is_at_the_edge_of_the_ball_and_the_others_are_within(
    norm, epsilon, generator
):
    x = torch.full((20, 1, 8, 8), 0.5)
    points = list(ball_points(x, norm, epsilon, generator))
    assert len(points) == COUNT
    lengths = torch.stack([distance(point - x, norm) for point in points])
    torch.testing.assert_close(lengths[1::2], torch.full_like(lengths[1::2], epsilon))
    assert (lengths[::2] < epsilon * (1 - 1e-6)).float().mean() > 0.95
    if norm == "linf":
        assert torch.allclose((points[1] - x).abs(), torch.tensor(epsilon))


@pytest.mark.parametrize("norm, epsilon", BALLS)
def test_points_stay_in_the_box(norm, epsilon, generator):
    x = torch.rand(20, 3, 4, 4, generator=generator).round()
    assert all(
        feasible(x, point, norm, epsilon).all()
        for point in ball_points(x, norm, epsilon, generator)
    )


@pytest.mark.parametrize("norm, epsilon", BALLS)
def test_what_answers_to_any_pixel_varies_and_what_rounds_or_ignores_it_does_not(
    norm, epsilon, four_classes, generator
):
    within = {"norm": norm, "epsilon": epsilon, "generator": generator}
    p = four_classes
    assert varies(p.model, p.x, **within).all()
    assert not varies(lambda x: p.model(0 * x), p.x, **within).any()
    noise = 1e-7
    assert not varies(lambda x: 9 + noise * p.model(x), p.x, **within).any()


def test_rounding_is_measured_on_the_largest_logit_and_nan_differs():
    a = torch.tensor([[100.0, 0.0], [100.0, 0.0], [0.0, 0.0], [torch.nan, 1.0]])
    b = torch.tensor([[100.0, 5e-4], [100.0, 5e-3], [0.0, 0.0], [torch.nan, 1.0]])
    assert logits_differ(a, b).tolist() == [False, True, False, True]
