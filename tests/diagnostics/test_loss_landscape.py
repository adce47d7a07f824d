import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.nn import functional as F

from robustinfo.diagnostics import loss_landscape
from robustinfo.maths.margin import margin


def surfaces(p, generator, **settings):
    """{(quantity, image): {(along, across): height}}."""
    config = loss_landscape.Config(**settings)
    found = {}
    for one in loss_landscape.diagnose(p.model, p.x, p.y, config=config, generator=generator):
        if one.level is not None:
            place = (one.level, float(one.input))
            found.setdefault((one.quantity, one.layer), {})[place] = one.value
    return found


def test_at_its_centre_is_the_image_itself(four_classes, generator):
    p = four_classes
    found = surfaces(p, generator, side=3, images=5)
    logits = p.model(p.x)
    loss = F.cross_entropy(logits, p.y, reduction="none")
    for number in range(5):
        heights = found["loss", f"image {number}"], found["margin", f"image {number}"]
        assert heights[0][0, 0] == pytest.approx(loss[number].item(), rel=1e-5)
        assert heights[1][0, 0] == pytest.approx(margin(logits, p.y)[number].item(), rel=1e-5)


def test_holes_are_counted_around_more_images_than_are_drawn(four_classes, generator, monkeypatch):
    p = four_classes
    monkeypatch.setattr(loss_landscape, "DRAWN", 2)
    how = {"generator": generator, "config": loss_landscape.Config(side=3, images=5)}
    found = loss_landscape.diagnose(p.model, p.x, p.y, **how)
    drawn = {one.layer for one in found if one.level is not None}
    told = [one.layer for one in found if one.quantity == "hole_depth"]
    assert drawn == {"image 0", "image 1"} and told == [f"image {i}" for i in range(5)]
    assert next(one.n for one in found if one.quantity == "hole_fraction") == 5


def test_a_side_without_a_middle_is_refused():
    with pytest.raises(ValidationError, match="odd, so that one of the points is the image"):
        loss_landscape.Config(side=20)


def test_the_margin_of_a_linear_model_falls_by_the_l1_norm_and_by_chance_across(
    two_classes, generator
):
    p = two_classes
    gap = (p.weight[0] - p.weight[1]).abs().sum().item()
    for (quantity, _), heights in surfaces(p, generator, side=5, images=3).items():
        if quantity == "margin":
            across = (heights[0, 0.04] - heights[0, 0]) / 0.04
            assert abs(across) < gap
            for (a, b), height in heights.items():
                assert height == pytest.approx(heights[0, 0] - a * gap + b * across, abs=1e-4)


def test_the_loss_of_two_classes_is_the_softplus_of_the_margin(two_classes, generator):
    found = surfaces(two_classes, generator, side=5, images=2)
    for image in ("image 0", "image 1"):
        for place, size in found["margin", image].items():
            expected = F.softplus(torch.tensor(-size)).item()
            assert found["loss", image][place] == pytest.approx(expected, rel=1e-4)


class Seen(nn.Module):
    """The model, and every image that it was asked about."""

    def __init__(self, model):
        super().__init__()
        self.model, self.images = model, []

    def forward(self, x):
        self.images.append(x.detach())
        return self.model(x)


def test_every_point_is_the_image_and_a_step_along_each_of_two_signs(four_classes, generator):
    p = four_classes
    p.model = Seen(p.model)
    surfaces(p, generator, side=3, images=1, reach="10/255")
    images, at = p.model.images[-1], p.x[0].clone().requires_grad_()
    reach = 10 / 255
    offsets = (images - p.x[0]).view(3, 3, -1) / reach  # along, across, pixels
    along, across = offsets[2, 1], offsets[1, 2]
    logits = p.model(at[None])
    (slope,) = torch.autograd.grad(F.cross_entropy(logits, p.y[:1]), at)
    torch.testing.assert_close(along, slope.sign().flatten(), rtol=0, atol=1e-4)
    torch.testing.assert_close(across.abs(), torch.ones(16), rtol=0, atol=1e-4)
    assert 0 < (across > 0).sum() < 16
    steps = torch.tensor([-1.0, 0.0, 1.0])
    expected = steps[:, None, None] * along + steps[None, :, None] * across
    torch.testing.assert_close(offsets, expected, rtol=0, atol=1e-4)


def test_every_image_has_its_own_random_direction(four_classes, generator):
    p = four_classes
    p.x, p.y = p.x[:1].repeat(2, 1, 1, 1), p.y[:1].repeat(2)
    found = surfaces(p, generator, side=3, images=2)
    one, other = found["margin", "image 0"], found["margin", "image 1"]
    assert one[0.04, 0] == pytest.approx(other[0.04, 0], rel=1e-5)
    assert one[0, 0.04] != pytest.approx(other[0, 0.04], rel=1e-3)


def test_where_there_is_no_gradient_nothing_changes_along_it(four_classes, generator):
    p = four_classes
    p.model = nn.Sequential(p.model, Steps())
    for heights in surfaces(p, generator, side=5, images=2).values():
        assert all(height == heights[0, b] for (_, b), height in heights.items())


class Steps(nn.Module):
    def forward(self, x):
        return (10 * x).round()


@pytest.mark.parametrize("batch", [1, 7, 25])
def test_how_many_points_are_taken_at_once_does_not_matter(
    monkeypatch, batch, four_classes, generator
):
    expected = surfaces(four_classes, generator.clone_state(), side=5, images=2)
    monkeypatch.setattr(loss_landscape, "EVALUATION_BATCH", batch)
    found = surfaces(four_classes, generator, side=5, images=2)
    for name, heights in found.items():
        assert heights == pytest.approx(expected[name], rel=1e-4, abs=1e-6)


def test_only_the_first_images_have_one_and_a_finding_says_where_it_is(four_classes, generator):
    p = four_classes
    config = loss_landscape.Config(side=21, images=2)
    found = loss_landscape.diagnose(p.model, p.x, p.y, config=config, generator=generator)
    found = [one for one in found if one.quantity in ("loss", "margin")]
    assert len(found) == 2 * 2 * 21**2
    assert len({(f.quantity, f.layer, f.level, f.input) for f in found}) == len(found)
    levels = [-0.04, -0.036, -0.032, -0.028, -0.024, -0.02, -0.016, -0.012, -0.008, -0.004, 0]
    assert sorted({f.level for f in found})[:11] == levels
    assert {float(f.input) for f in found} == {f.level for f in found}
    assert {f.layer for f in found} == {"image 0", "image 1"}


class Craters(nn.Module):
    """Two logits, +-7 as long as a pixel is close to 1/2, and then -+ a slope along the mean."""

    def __init__(self, width):
        super().__init__()
        self.width = width

    def forward(self, x):
        near = (x.flatten(1) - 0.5).abs().amax(1) < self.width
        away = -1.0 + 0 * x.flatten(1).mean(1)
        size = torch.where(near, 7.0, away) + 1e-4 * x.flatten(1).mean(1)
        return torch.stack([size / 2, -size / 2], 1)


@pytest.mark.parametrize(
    ("width", "holes"),
    [
        (0.015, 1.0),
        (0.031, 0.0),  # more than a quarter of the square
        (0.05, 0.0),  # cut by the square's edge
    ],
)
def test_a_small_crater_around_the_image_is_a_hole_and_a_wide_one_is_none(width, holes, generator):
    x, y = torch.full((2, 1, 4, 4), 0.5), torch.zeros(2, dtype=torch.int64)
    config = loss_landscape.Config(images=2)
    found = loss_landscape.diagnose(Craters(width), x, y, config=config, generator=generator)
    told = {(one.quantity, one.layer): one for one in found if one.level is None}
    total = told["hole_fraction", ""]
    assert (total.value, total.n, total.interval) == (holes, 2, "fraction")
    steps = torch.tensor([0.004 * step for step in range(-10, 11)])
    farthest = steps[:, None].abs() + steps.abs()  # of a pixel, from 1/2
    inside = (farthest < width).double().mean().item()
    for image in ("image 0", "image 1"):
        assert told["right_area", image].value == pytest.approx(inside)
        depth, area = told["hole_depth", image].value, told["hole_area", image].value
        if width < 0.04:
            assert depth > 0.99 and area == pytest.approx(inside)
        else:
            assert depth < 0.01


def test_no_linear_model_has_a_hole(four_classes, generator):
    p = four_classes
    found = loss_landscape.diagnose(
        p.model, p.x, p.y, config=loss_landscape.Config(), generator=generator
    )
    told = {one.quantity: one.value for one in found if one.level is None}
    assert told["hole_fraction"] == 0.0
