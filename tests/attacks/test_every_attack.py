"""What every attack does on a linear problem; what it promises: tests/contracts/."""

import warnings

import pytest
import torch
from torch import nn

from robustinfo.core import registry
from robustinfo.maths.balls import distance
from tests.attacks.entries import ATTACKS

RANDOM = ["pgd_restarts", "pgd_l2", "pgd_gaussian", "fgsm_restarts", "label_smoothing_pgd"]
RANDOM += ["pgd_fooled", "random_search_linf", "random_search_l2"]
RANDOM += ["random_search_l1", "noise_l1", "hop_skip_jump_l1"]
RANDOM += ["noise_linf", "noise_l2_uniform", "noise_l2_gaussian"]
RANDOM += ["square", "hop_skip_jump_linf", "hop_skip_jump_l2"]
EVERY = pytest.mark.parametrize("name", ATTACKS)


def attack(name, model, x, y, seed=0):
    perturb = registry.get("attacks", ATTACKS[name])
    return perturb(model, x, y, generator=torch.Generator().manual_seed(seed))


@EVERY
def test_some_images_fall_and_some_stand_and_what_fools_is_a_success(name, two_classes):
    p = two_classes
    x_adv, success = attack(name, p.model, p.x, p.y)
    assert success.any() and not success.all()
    assert (p.model(x_adv).argmax(1) != p.y).equal(success)
    norm = registry.config("attacks", ATTACKS[name]).norm
    assert distance(x_adv - p.x, norm)[success].min() > 0


@pytest.mark.parametrize("name", RANDOM)
def test_another_seed_gives_other_noise(name, two_classes):
    p = two_classes
    first, one = attack(name, p.model, p.x, p.y, seed=5)
    second, other = attack(name, p.model, p.x, p.y, seed=6)
    assert (one & other).any() and not first[one & other].equal(second[one & other])


@EVERY
def test_a_model_may_warn_without_ending_the_attack(name, two_classes):
    class Warns(nn.Module):
        def forward(self, x):
            warnings.warn("a kernel is slow", stacklevel=1)
            return two_classes.model(x)

    with pytest.warns(UserWarning, match="a kernel is slow"):
        _, success = attack(name, Warns(), two_classes.x, two_classes.y)
    assert success.equal(attack(name, two_classes.model, two_classes.x, two_classes.y)[1])


def test_gaussian_noise_has_no_linf_bound_and_is_refused():
    entry = {"method": "additive_noise", "norm": "linf", "distribution": "gaussian", "epsilon": 0.1}
    with pytest.raises(ValueError, match="bounded in l2 only"):
        registry.config("attacks", entry)
