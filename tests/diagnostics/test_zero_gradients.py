import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustinfo.diagnostics import zero_gradients
from tests.diagnostics.after import After

BALLS = [("linf", 0.1), ("l2", 0.5)]


def fractions(model, x, y, generator, norm="linf", epsilon=0.1):
    """Those whose gradient vanishes at x, and those where that hides something."""
    config = zero_gradients.Config(norm=norm, epsilon=epsilon)
    found = zero_gradients.diagnose(model, x, y, config=config, generator=generator)
    assert [one.quantity for one in found] == ["zero_gradient_fraction", "flat_fraction"]
    assert {one.n for one in found} == {len(y)}
    return [one.value for one in found]


class Before(nn.Module):
    def __init__(self, change, model):
        super().__init__()
        self.change, self.model = change, model

    def forward(self, x):
        return self.model(self.change(x))


def in_numpy(x):
    """Leaves torch, which refuses a tensor that asks for a gradient."""
    return torch.from_numpy(x.numpy().copy())


FRONTS = {
    "rounded to 16 greys": lambda x: (15 * x).round() / 15,
    "cut to 8 bits": lambda x: (255 * x).byte() / 255,
    "thresholded": lambda x: (x > 0.5).float(),
    "detached": torch.Tensor.detach,
    "numpy": in_numpy,
}


@pytest.mark.parametrize("norm, epsilon", BALLS)
def test_no_gradient_of_a_linear_model_vanishes(norm, epsilon, four_classes, generator):
    p = four_classes
    assert fractions(p.model, p.x, p.y, generator, norm, epsilon) == [0, 0]


@pytest.mark.parametrize("norm, epsilon", BALLS)
@pytest.mark.parametrize("front", FRONTS)
def test_a_front_that_denies_its_gradient_is_flat_on_every_image(
    front, norm, epsilon, four_classes, generator
):
    p = four_classes
    model = Before(FRONTS[front], p.model)
    y = model(p.x).argmax(1)
    assert fractions(model, p.x, y, generator, norm, epsilon) == [1, 1]
    # What is wrong when clean hides nothing that counts.
    assert fractions(model, p.x, (y + 1) % 4, generator, norm, epsilon) == [1, 0]


@pytest.mark.parametrize("change", [torch.Tensor.detach, torch.round], ids=["detached", "rounded"])
def test_logits_without_a_gradient_are_flat(change, four_classes, generator):
    model = After(four_classes.model, change)
    x = four_classes.x
    assert fractions(model, x, model(x).argmax(1), generator) == [1, 1]


def test_a_network_that_is_sure_has_a_margin_to_climb(four_classes, generator):
    """The gradient of the cross-entropy is 0 in float32; that of the margin is not."""
    p = four_classes
    assert fractions(After(p.model, lambda t: 1e6 * t), p.x, p.y, generator) == [1, 0]


@pytest.mark.parametrize("norm, epsilon", BALLS)
def test_dead_relus_hide_nothing(norm, epsilon, four_classes, generator):
    """As in a certified network: constant around every image, and alive elsewhere."""
    p = four_classes
    dead = After(p.model, lambda t: F.relu(t - 1e3) + torch.tensor([1.0, 0, 0, 0]))
    assert fractions(dead, p.x, 0 * p.y, generator, norm, epsilon) == [1, 0]


def test_neither_does_a_flat_place_with_a_slope_beside_it(four_classes, generator):
    """Only x itself is flat: a step of any size leaves it."""
    p = four_classes

    def flat_at_x(x):
        there = (x[:, None] == p.x).flatten(2).all(2).any(1).view(-1, 1, 1, 1)
        return torch.where(there, x.detach(), x)

    assert fractions(Before(flat_at_x, p.model), p.x, p.y, generator) == [1, 0]


def test_gradients_that_are_nan_cannot_be_climbed(four_classes, generator):
    p = four_classes
    assert fractions(After(p.model, lambda t: t / 0), p.x, p.y, generator)[0] == 1
    root = After(p.model, lambda t: t + (0 * t).sqrt())
    assert fractions(root, p.x, p.y, generator) == [1, 1]


def test_a_network_that_writes_to_its_input_has_its_gradient(four_classes, generator):
    p, kept = four_classes, four_classes.x.clone()
    model = Before(lambda x: x.sub_(0.5).mul_(2), p.model)
    y = model(p.x.clone()).argmax(1)
    assert fractions(model, p.x, y, generator) == [0, 0]
    assert (p.x == kept).all()


def test_the_fraction_is_that_of_the_images(four_classes, generator):
    """A network that is detached where its first pixel is dark."""
    p = four_classes

    def sometimes(x):
        return torch.where(x[:, :1, :1, :1] < 0.5, x.detach(), x)

    p.x[:, 0, 0, 0] = torch.where(torch.arange(64) < 16, 0.3, 0.7)
    model = Before(sometimes, p.model)
    assert fractions(model, p.x, model(p.x).argmax(1), generator) == [0.25, 0.25]


def test_the_mask_tells_the_images_apart(four_classes, monkeypatch):
    p = four_classes
    p.x[:, 0, 0, 0] = torch.where(torch.arange(64) % 4 == 0, 0.3, 0.7)
    model = Before(lambda x: torch.where(x[:, :1, :1, :1] < 0.5, x.detach(), x), p.model)
    found = zero_gradients.vanishing(model, p.x, p.y)
    assert found.tolist() == (torch.arange(64) % 4 == 0).tolist()
    monkeypatch.setattr(zero_gradients, "BELOW", 1e9)
    assert zero_gradients.vanishing(p.model, p.x, p.y).all()
