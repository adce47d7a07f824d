"""The boundary attack's starts, where noise will not do."""

import pytest
import torch
from torch import nn

from robustinfo.attacks import _decision_based, boundary
from robustinfo.maths.balls import distance


class Bright(nn.Module):
    """Class 1 where the mean is above a level that uniform noise does not reach."""

    def forward(self, x):
        mean = x.flatten(1).mean(1) - 0.8
        return torch.stack([-mean, mean], 1)


def attack(x, y, **numbers):
    config = boundary.Config(**{"steps": 300} | numbers)
    return boundary.perturb(Bright(), x, y, config=config, generator=torch.Generator())


def grey(*levels):
    return torch.tensor(levels)[:, None, None, None] * torch.ones(1, 1, 8, 8)


def test_noise_that_never_fools_gives_way_to_an_image_of_the_batch():
    x, y = grey(0.5, 0.6, 0.9), torch.tensor([0, 0, 1])
    x_adv, success = attack(x, y)
    assert success.all()
    # The line from grey to grey meets the boundary at its nearest point, 0.3 and 0.2 away.
    assert distance(x_adv - x, "l2")[:2].tolist() == pytest.approx([8 * 0.3, 8 * 0.2], rel=1e-2)


def test_of_two_images_of_another_class_the_nearer_one_is_the_start():
    x = grey(0.5, 0.6, 0.9)
    x[1, 0, :4], x[1, 0, 4:] = 0.7, 1.0  # bright as well, and nearer to the first
    starts = _decision_based.starting_points(
        Bright(), x, torch.tensor([0, 1, 1]), norm="l2", generator=torch.Generator()
    )
    way, whole = (starts - x)[0].flatten(), (x[1] - x[0]).flatten()
    assert nn.functional.cosine_similarity(way, whole, 0).item() == pytest.approx(1)
    assert Bright()(starts).argmax(1).tolist() == [1, 0, 0]


def test_without_any_other_class_there_is_no_success_and_no_error():
    x, y = grey(0.5, 0.6), torch.tensor([0, 0])
    x_adv, success = attack(x, y)
    assert not success.any() and x_adv.equal(x)


def test_only_what_lies_within_epsilon_counts():
    x, y = grey(0.5, 0.6, 0.9), torch.tensor([0, 0, 1])
    assert attack(x, y, epsilon=2.0)[1].tolist() == [False, True, True]


def test_labels_are_asked_for_and_nothing_else(two_classes):
    class Labels(nn.Module):
        """What the linear model says, without its logits and its gradient."""

        def forward(self, x):
            return nn.functional.one_hot(two_classes.model(x).argmax(1), 2).float()

    config, p = boundary.Config(steps=100), two_classes
    found = [
        boundary.perturb(model, p.x, p.y, config=config, generator=torch.Generator().manual_seed(0))
        for model in (p.model, Labels())
    ]
    assert found[0][1].all()
    assert all(a.equal(b) for a, b in zip(*found, strict=True))


def test_a_walk_that_ends_on_the_boundary_itself_counts_whatever_the_size_of_a_batch(two_classes):
    p = two_classes
    wrong = torch.arange(len(p.y)) % 8 != 0  # the walk's batch is an eighth of the judge's
    config = boundary.Config(steps=1500, adapt_every=1)
    _, success = boundary.perturb(
        p.model, p.x, torch.where(wrong, 1 - p.y, p.y), config=config, generator=torch.Generator()
    )
    assert success.equal(~wrong)
