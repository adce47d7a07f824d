import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustinfo.diagnostics import loss_trajectory
from tests.diagnostics.after import After

NAMES = ["never_rises_fraction", "constant_fraction", "unconverged_fraction"]


def fractions(model, x, y, generator, **settings):
    numbers = {"epsilon": 0.01, "step_size": 0.001, "steps": 40} | settings
    found = loss_trajectory.diagnose(
        model, x, y, config=loss_trajectory.Config(**numbers), generator=generator
    )
    assert [one.quantity for one in found] == NAMES
    assert {one.n for one in found} == {len(y)}
    return [one.value for one in found]


def out_of_reach(p, epsilon):
    """Which images of the linear problem no perturbation turns."""
    margins = (p.model(p.x)[:, 0] - p.model(p.x)[:, 1]).abs().detach()
    return margins > epsilon * (p.model[1].weight[0] - p.model[1].weight[1]).abs().sum()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_path_to_the_corner_of_the_ball_has_converged(norm, two_classes, generator):
    """After 10 steps of a tenth the path is at its end."""
    p = two_classes
    assert fractions(p.model, p.x, p.y, generator, norm=norm) == [0] * 3


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("scale", [1e-3, 1, 6])
@pytest.mark.parametrize("steps", [1, 3, 5, 40])
def test_a_linear_path_has_converged_once_the_part_left_is_small_beside_the_part_gone(
    norm, scale, steps, two_classes, generator
):
    """After a part w of the way it is (1 - w) / w, whatever the size of the logits."""
    p, last = two_classes, 1 / (1 + loss_trajectory.OPEN_RATIO)
    for parameter in p.model.parameters():
        parameter.data *= scale
    far = out_of_reach(p, 0.01)
    assert 0 < far.sum() < 64
    for way, expected in ((0.95 * last, 1), (1.05 * last, 0)):
        size = 0.01 * way / steps
        found = fractions(
            p.model, p.x[far], p.y[far], generator, norm=norm, steps=steps, step_size=size
        )
        assert found == [0, 0, expected]


def test_fractions_are_of_all_images(two_classes, generator):
    """Those that fall, and those that were wrong, are among them."""
    p = two_classes
    y = torch.where(torch.arange(64) < 10, 1 - p.y, p.y)
    left = (y == p.y) & out_of_reach(p, 0.02)
    assert 0 < left.sum() < 54
    found = fractions(p.model, p.x, y, generator, epsilon=0.2, steps=1, step_size=0.02)
    assert found == [0, 0, left.double().mean()]


def test_of_no_image_a_network_is_not_asked(two_classes, generator):
    """``view`` cannot tell the other size of none."""

    class Views(nn.Module):
        def forward(self, x):
            return two_classes.model(x.view(len(x), -1).view(x.shape))

    p = two_classes
    config = loss_trajectory.Config(epsilon=0.1, step_size=0.02, steps=3)
    found = loss_trajectory.paths(Views(), p.x[:0], p.y[:0], config=config, generator=generator)
    assert [len(one) for one in found] == [0] * 6


def test_what_has_fallen_does_not_count_as_unconverged(two_classes, generator):
    p = two_classes
    assert fractions(p.model, p.x, p.y, generator, epsilon=0.9, step_size=0.2, steps=2) == [0] * 3


CHANGES = {
    "detached": torch.Tensor.detach,
    "rounded": torch.round,
}


@pytest.mark.parametrize("norm, epsilon", [("linf", 0.3), ("l2", 1.0)])
@pytest.mark.parametrize("change", CHANGES)
def test_the_loss_of_a_masked_model_never_rises_although_its_logits_vary(
    change, norm, epsilon, two_classes, generator
):
    p = two_classes
    model = After(p.model, CHANGES[change])
    settings = {"norm": norm, "epsilon": epsilon, "step_size": epsilon / 10}
    assert fractions(model, p.x, model(p.x).argmax(1), generator, **settings) == [1, 0, 0]


@pytest.mark.parametrize("norm, epsilon", [("linf", 0.3), ("l2", 1.0)])
def test_one_that_is_merely_sure_is_not_masked(norm, epsilon, two_classes, generator):
    """Its cross-entropy is flat in float32, and the log-odds have the slope that they had."""
    p = two_classes
    model = After(p.model, lambda logits: 1e6 * logits)
    settings = {"norm": norm, "epsilon": epsilon, "step_size": epsilon / 10}
    y = p.model(p.x).argmax(1)
    plain = fractions(p.model, p.x, y, generator, **settings)
    assert fractions(model, p.x, y, generator, **settings) == plain
    assert plain[:2] == [0, 0]


@pytest.mark.parametrize("greys", [4, 16])
def test_neither_does_that_of_a_network_whose_input_is_rounded(greys, two_classes, generator):
    p = two_classes
    model = nn.Sequential(Rounded(greys), p.model)
    y = model(p.x).argmax(1)
    assert fractions(model, p.x, y, generator, epsilon=0.2, step_size=0.02) == [1, 0, 0]
    # Where no pixel of the ball gets another grey, there is nothing to find.
    middles = (p.x * (greys - 1)).round() / (greys - 1)
    y = model(middles).argmax(1)
    assert fractions(model, middles, y, generator, epsilon=0.02) == [0, 1, 0]


class Rounded(nn.Module):
    def __init__(self, greys):
        super().__init__()
        self.most = greys - 1

    def forward(self, x):
        return (x * self.most).round() / self.most


def test_logits_that_are_constant_in_the_ball_hide_nothing(two_classes, generator):
    """As in a certified network whose ReLUs are dead around the image, and alive elsewhere."""
    p = two_classes
    dead = After(p.model, lambda logits: F.relu(logits - 1e3) + torch.tensor([1.0, 0.0]))
    half = torch.arange(64) % 2 == 0
    y = torch.where(half, 0, 1)  # of which every second one is right
    assert fractions(dead, p.x, y, generator) == [0, 0.5, 0]
    assert fractions(After(p.model, lambda t: 0 * t), p.x, 0 * y, generator) == [0, 1, 0]


def test_gradients_that_are_nan_do_not_stop_it(two_classes, generator):
    p = two_classes

    def root(logits):
        """0 is added to those that are taken for class 0, by way of an infinite slope."""
        first = (logits.argmax(1) == 0).nonzero().squeeze(1)
        return logits.index_add(0, first, (0 * logits[first]).sqrt())

    found = fractions(After(p.model, root), p.x, p.y, generator)
    assert found == [(p.y == 0).double().mean(), 0, 0]


def test_nothing_is_found_where_no_image_is_correct_when_clean(two_classes, generator):
    p = two_classes
    assert fractions(p.model, p.x, 1 - p.y, generator) == [0, 0, 0]


def test_the_network_stays_as_it_was(two_classes, generator):
    p = two_classes
    model = nn.Sequential(nn.BatchNorm2d(1), p.model).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fractions(model, p.x, p.y, generator)
    assert model.training
    assert all((value == before[name]).all() for name, value in model.state_dict().items())
