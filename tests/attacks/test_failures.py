"""Where an attack fails, x comes back: foolbox's Carlini and Wagner gives black, which may fool."""

import pytest
import torch
from torch import nn

from robustinfo.attacks import carlini_wagner, deepfool
from robustinfo.attacks._success import keep_successes


class Constant(nn.Module):
    """Always class 0, with a gradient that is 0 everywhere."""

    def forward(self, x):
        return 0 * x.flatten(1).sum(1, keepdim=True) + torch.tensor([1.0, 0.0])


class Cliff(nn.Module):
    """Class 0 unless the image is all but black, with a gradient that says nothing of it."""

    def forward(self, x):
        light = (x.flatten(1).mean(1, keepdim=True) > 0.01).float()
        flat = 0 * x.flatten(1).sum(1, keepdim=True)
        return flat + torch.cat([light, 1 - light], 1)


@pytest.mark.parametrize("model", [Constant(), Cliff()])
@pytest.mark.parametrize("epsilon", [None, 100.0])
def test_a_failed_run_returns_the_image_even_where_black_would_fool(model, epsilon, generator):
    x, y = 0.2 + 0.6 * torch.rand(4, 1, 4, 4), torch.zeros(4, dtype=torch.int64)
    config = carlini_wagner.Config(binary_search_steps=2, steps=5, epsilon=epsilon)
    x_adv, success = carlini_wagner.perturb(model, x, y, config=config, generator=generator)
    assert not success.any() and x_adv.equal(x)


def test_black_would_fool_the_cliff():
    assert Cliff()(torch.zeros(1, 1, 4, 4)).argmax(1) == 1


def test_too_few_and_too_small_steps_find_nothing(two_classes, generator):
    p = two_classes
    config = carlini_wagner.Config(binary_search_steps=1, steps=2, step_size=1e-6)
    x_adv, success = carlini_wagner.perturb(p.model, p.x, p.y, config=config, generator=generator)
    assert not success.any() and x_adv.equal(p.x)


def test_deepfool_finds_nothing_where_there_is_no_gradient(generator):
    x, y = torch.rand(4, 1, 4, 4), torch.zeros(4, dtype=torch.int64)
    x_adv, success = deepfool.perturb(
        Constant(), x, y, config=deepfool.Config(steps=3), generator=generator
    )
    assert not success.any() and x_adv.equal(x)


def test_an_image_with_a_nan_is_no_success_even_where_it_fools():
    class Nan(nn.Module):
        def forward(self, x):
            whole = x.flatten(1).isfinite().all(1).float()
            return torch.stack([whole, 1 - whole], 1)

    x, y = torch.rand(4, 1, 4, 4), torch.zeros(4, dtype=torch.int64)
    x_adv = x.clone()
    x_adv[0, 0, 0, 0] = torch.nan
    assert Nan()(x_adv).argmax(1).tolist() == [1, 0, 0, 0]
    kept, success = keep_successes(Nan(), x, y, x_adv, norm="l2", epsilon=None)
    assert not success.any() and kept.equal(x)


class Quick(torch.nn.Module):
    """Class 0 where the mean is above one half; black is class 1."""

    def forward(self, x):
        mean = x.flatten(1).mean(1) - 0.5
        return torch.stack([mean, -mean], 1) * 50


def test_only_what_the_attack_did_not_find_counts_as_black():
    x = torch.full((2, 1, 4, 4), 0.9)
    y = torch.tensor([0, 0])
    few = {"binary_search_steps": 1, "initial_const": 1e-6, "step_size": 1e-4, "steps": 2}
    many = {"binary_search_steps": 6, "initial_const": 1.0, "step_size": 0.1, "steps": 60}
    for numbers, expected in ((few, True), (many | {"epsilon": 0.01}, False)):
        config = carlini_wagner.Config(**numbers)
        x_adv, success, extras = carlini_wagner.perturb_with_extras(
            Quick(), x, y, config=config, generator=torch.Generator().manual_seed(0)
        )
        # Found beyond epsilon is no success either, but no black image.
        assert not success.any() and extras["with_black"].tolist() == [expected] * 2
        assert torch.equal(x_adv, x)
