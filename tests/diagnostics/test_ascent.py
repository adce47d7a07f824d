import pytest
import torch
from pydantic import ValidationError

from robustinfo.diagnostics import ascent
from tests.diagnostics.after import After


def shares(model, x, y, generator, **settings):
    numbers = {"epsilon": 0.01, "step_size": 0.001, "steps": 40} | settings
    found = ascent.diagnose(model, x, y, config=ascent.Config(**numbers), generator=generator)
    assert [one.quantity for one in found] == ["never_rises_share", "still_rising_share"]
    return [one.value for one in found]


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("random_start", [False, True])
def test_the_loss_of_a_linear_model_rises_until_the_corner_of_the_ball(
    norm, random_start, two_classes, generator
):
    """After 10 steps of a tenth, or 20 from anywhere, the path is at its end."""
    p = two_classes
    found = shares(p.model, p.x, p.y, generator, norm=norm, random_start=random_start)
    assert found == [0, 0]


@pytest.mark.parametrize("part", [0.9, 0.97])
def test_it_still_rises_where_the_last_ten_steps_bring_more_than_a_twentieth(
    part, two_classes, generator
):
    """A linear path whose first 30 steps bring this part of the whole; nothing falls."""
    p = two_classes
    p.model[1].weight.data *= 1e-3  # the loss is as good as linear along the path
    p.model[1].bias.data *= 1e-3
    margins = (p.model(p.x)[:, 0] - p.model(p.x)[:, 1]).abs().detach()
    gap = (p.model[1].weight[0] - p.model[1].weight[1]).abs().sum().item()
    far = margins > 2 * 0.01 * gap  # out of the attack's reach
    assert far.any()
    step = 0.01 * part / 30  # at most a ball in the end: part + its tenth more
    found = shares(p.model, p.x[far], p.y[far], generator, step_size=step)
    assert found == [0, 1 if part == 0.9 else 0]


def test_what_has_fallen_does_not_count_as_rising(two_classes, generator):
    p = two_classes
    found = shares(p.model, p.x, p.y, generator, epsilon=0.5, step_size=0.5 / 40)
    assert found == [0, 0]


@pytest.mark.parametrize(
    "change",
    [
        torch.Tensor.detach,
        torch.round,
        lambda logits: 1e6 * logits,
        lambda logits: logits[:, :1] * 0,
    ],
    ids=["detached", "rounded", "saturated", "constant"],
)
def test_the_loss_of_a_masked_model_never_rises(change, two_classes, generator):
    p = two_classes
    model = After(p.model, change)
    assert shares(model, p.x, model(p.x).argmax(1), generator) == [1, 0]


def test_gradients_that_are_nan_do_not_stop_it(two_classes, generator):
    p, half = two_classes, torch.arange(64) % 2 == 0

    def root(logits):
        if len(logits) != 64:  # the probe of a copy
            return logits
        return logits.index_add(0, half.nonzero().squeeze(1), (0 * logits[half]).sqrt())

    assert shares(After(p.model, root), p.x, p.y, generator) == [0.5, 0]


def test_only_images_that_are_correct_when_clean_count(two_classes, generator):
    p = two_classes
    assert shares(p.model, p.x, 1 - p.y, generator) == [0, 0]
    # Only what is taken for class 0 can be climbed, and all of it is labelled 1.
    half = After(p.model, lambda t: torch.where(t.argmax(1, keepdim=True) == 0, t, t.detach()))
    assert 0 < (p.y == 0).sum() < 64
    assert shares(half, p.x, torch.ones_like(p.y), generator) == [1, 0]


def test_it_needs_more_steps_than_the_last_ones():
    with pytest.raises(ValidationError, match="greater than 10"):
        ascent.Config(epsilon=0.1, step_size=0.1, steps=10)
