"""ZOO: its slopes are the gradient, its Adam is torch's, and its queries are those it says."""

import pytest
import torch
from torch import nn

from robustinfo.attacks import zoo
from robustinfo.attacks.zoo import _adam, _margin, margin_gradients


def gradient(margin, x, which):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(margin(x, which).sum(), x)[0]


@pytest.mark.parametrize("dtype, tolerance", [(torch.double, 1e-5), (torch.float, 1e-3)])
def test_finite_differences_are_the_gradient_of_a_smooth_network(dtype, tolerance):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 30), nn.Tanh(), nn.Linear(30, 2))
    model[3].weight.data *= 5
    x, y, which = torch.rand(300, 12), torch.arange(300) % 2, torch.arange(300).flip(0)
    margin = _margin(model.to(dtype), y, (3, 2, 2), confidence=0.1)
    x, at = x.to(dtype), torch.rand(300, 12).argsort(1)[:, :5]
    value = margin(x, which)
    far = _margin(model, y, (3, 2, 2), confidence=0.2)(x, which)
    smooth = (value > 0.05) | (far == 0)  # the kink at 0 is far off
    assert (value[smooth] > 0).any() and (value[smooth] == 0).any()
    found = margin_gradients(margin, x, which, at, difference=1e-3)
    expected = gradient(margin, x, which).gather(1, at)
    torch.testing.assert_close(found[smooth], expected[smooth], atol=tolerance, rtol=0)


def test_the_margin_is_that_of_log_probabilities():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 4))
    x, y = torch.rand(50, 3, 2, 2), torch.arange(50) % 4
    logs = model(x).log_softmax(1).detach()
    own = logs.gather(1, y[:, None]).squeeze(1)
    expected = own - logs.scatter(1, y[:, None], -torch.inf).amax(1) + 0.1
    found = _margin(model, y, x.shape[1:], confidence=0.1)(x.flatten(1), torch.arange(50))
    torch.testing.assert_close(found, expected.clamp(min=0))


def test_a_value_that_is_drawn_now_and_then_moves_as_in_an_adam_of_its_own():
    generator = torch.Generator().manual_seed(0)
    moments, clock = torch.zeros(2, 1, 4, dtype=torch.double), torch.zeros(1, 4, dtype=torch.double)
    moved = torch.zeros(4, dtype=torch.double)
    alone = [nn.Parameter(torch.zeros((), dtype=torch.double)) for _ in range(4)]
    optimisers = [torch.optim.Adam([value], lr=0.01) for value in alone]
    for _ in range(30):
        at = torch.randperm(4, generator=generator)[:2]
        slope = torch.randn(2, generator=generator, dtype=torch.double)
        clock[0, at] += 1
        moved[at] -= 0.01 * _adam(moments, clock, torch.tensor([[0]]), at[None], slope[None])[0]
        for i, g in zip(at, slope, strict=True):
            alone[i].grad = g
            optimisers[i].step()
    torch.testing.assert_close(moved, torch.stack([value.detach() for value in alone]))


def test_all_coordinates_at_a_time_are_drawn_once_each_and_fewer_are_different_ones():
    asked = []
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    x, y = torch.rand(1, 1, 2, 3), torch.tensor([0])
    model[1].bias.data = torch.tensor([100.0, -100.0])
    model.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[0].flatten(1)))
    numbers = {"steps": 1, "binary_search_steps": 1, "difference": 0.01}
    for coordinates, expected in ((6, 6), (128, 6), (4, 4)):
        asked.clear()
        config = zoo.Config(coordinates=coordinates, **numbers)
        zoo.perturb(model, x, y, config=config, generator=torch.Generator().manual_seed(0))
        both = next(batch for batch in asked if len(batch) > 1) - x.flatten(1)
        above, below = both.split(expected)
        torch.testing.assert_close(above, -below, atol=1e-6, rtol=0)
        assert (above.abs() > 1e-3).sum(1).eq(1).all()
        assert (above.abs() > 1e-3).any(0).sum() == expected


def test_a_search_that_no_longer_falls_ends(two_classes, generator):
    p, asked = two_classes, []
    p.model.register_forward_pre_hook(lambda _, inputs: asked.append(len(inputs[0])))
    numbers = {"binary_search_steps": 1, "initial_const": 1e-6, "step_size": 1e-4, "coordinates": 4}
    queries = []
    for steps in (10, 1000):
        asked.clear()
        config = zoo.Config(steps=steps, patience=10, **numbers)
        _, success = zoo.perturb(p.model, p.x[:4], p.y[:4], config=config, generator=generator)
        assert not success.any()  # so small a c does not leave the image
        queries.append(sum(asked))
    assert queries[0] == queries[1] == 4 * (1 + 1 + 10 * (2 * 4 + 1) + 2)
