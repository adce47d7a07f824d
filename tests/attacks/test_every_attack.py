"""What holds for every attack, whatever it does: the promises of ``perturb``."""

import warnings

import pytest
import torch
from torch import nn

from robustinfo.core import registry
from robustinfo.maths.balls import distance, feasible

CW = {"method": "carlini_wagner", "binary_search_steps": 4, "steps": 60, "step_size": 0.05}
ONE_PIXEL = {"method": "one_pixel", "population": 20, "steps": 10}
HOP_SKIP_JUMP = {"method": "hop_skip_jump", "steps": 3, "first_labels": 30}
ATTACKS = {
    "fgsm_linf": {"method": "fgsm", "epsilon": 0.02},
    "fgsm_l2": {"method": "fgsm", "norm": "l2", "epsilon": 0.06},
    "fgsm_restarts": {"method": "fgsm", "epsilon": 0.02, "start_std": 0.01, "restarts": 2},
    "bim_linf": {"method": "bim", "epsilon": 0.02, "step_size": 0.005},
    "bim_l2": {"method": "bim", "norm": "l2", "epsilon": 0.06, "step_size": 0.02},
    "pgd_linf": {"method": "pgd", "epsilon": 0.02, "step_size": 0.005, "steps": 10},
    "pgd_l2": {"method": "pgd", "norm": "l2", "epsilon": 0.06, "step_size": 0.02, "steps": 10},
    "pgd_restarts": {
        "method": "pgd", "epsilon": 0.02, "step_size": 0.001, "steps": 2, "restarts": 3,
    },
    "pgd_gaussian": {
        "method": "pgd", "norm": "l2", "epsilon": 0.06, "step_size": 0.02, "steps": 2,
        "start_std": 0.01,
    },
    "pgd_margin": {
        "method": "pgd", "epsilon": 0.02, "step_size": 0.005, "steps": 10, "objective": "margin",
    },
    "pgd_fooled": {
        "method": "pgd", "epsilon": 0.02, "step_size": 0.001, "steps": 2, "restarts": 3,
        "until": "fooled",
    },
    "pgd_bfloat16": {
        "method": "pgd", "epsilon": 0.02, "step_size": 0.005, "steps": 10, "until": "fooled",
        "precision": "bfloat16",
    },
    "adaptive": {"method": "adaptive", "epsilon": 0.02, "step_size": 0.005, "steps": 10},
    "gradient_search_linf": {"method": "gradient_search", "epsilon": 0.02, "steps": 10},
    "gradient_search_l2": {"method": "gradient_search", "norm": "l2", "epsilon": 0.06, "steps": 10},
    "smoothed_pgd": {
        "method": "smoothed_pgd", "epsilon": 0.02, "step_size": 0.005, "steps": 3,
        "smoothings": [0.0, 0.5], "restarts": 2,
    },
    "evasive": {
        "method": "evasive", "epsilon": 0.02, "step_size": 0.005, "steps": 10,
        "random_start": False, "confidence": 0.0,
        "complexity": {"method": "entropy", "alphabet": "grey", "estimator": "plug_in"},
    },
    "deepfool_l2": {"method": "deepfool", "epsilon": 0.06},
    "deepfool_linf": {"method": "deepfool", "norm": "linf", "epsilon": 0.02},
    "carlini_wagner": CW | {"epsilon": 0.06},
    "fab_linf": {"method": "fab", "epsilon": 0.02, "steps": 10},
    "fab_l2": {"method": "fab", "norm": "l2", "epsilon": 0.06, "steps": 10, "targets": 9},
    "fab_restarts": {"method": "fab", "epsilon": 0.02, "steps": 10, "restarts": 2},
    "mi_fgsm_linf": {"method": "mi_fgsm", "epsilon": 0.02, "step_size": 0.005},
    "mi_fgsm_l2": {"method": "mi_fgsm", "norm": "l2", "epsilon": 0.06, "step_size": 0.02},
    "ni_fgsm": {"method": "mi_fgsm", "epsilon": 0.02, "step_size": 0.005, "nesterov": True},
    "one_pixel_linf": ONE_PIXEL | {"epsilon": 0.1},
    "one_pixel_l2": ONE_PIXEL | {"norm": "l2", "epsilon": 0.1, "pixels": 3},
    "zoo": {
        "method": "zoo", "epsilon": 0.06, "binary_search_steps": 4, "steps": 30, "coordinates": 8,
        "initial_const": 0.1,
    },
    "boundary": {"method": "boundary", "epsilon": 0.06, "steps": 100},
    "hop_skip_jump_linf": HOP_SKIP_JUMP | {"norm": "linf", "epsilon": 0.02},
    "hop_skip_jump_l2": HOP_SKIP_JUMP | {"epsilon": 0.06},
    "square": {"method": "square", "epsilon": 0.02, "queries": 50, "restarts": 2},
    "noise_linf": {"method": "additive_noise", "norm": "linf", "epsilon": 0.15},
    "noise_signs": {
        "method": "additive_noise", "norm": "linf", "distribution": "signs", "epsilon": 0.15,
    },
    "noise_l2_uniform": {"method": "additive_noise", "norm": "l2", "epsilon": 0.3},
    "noise_l2_gaussian": {
        "method": "additive_noise", "norm": "l2", "distribution": "gaussian", "epsilon": 0.3,
    },
    "random_search_linf": {"method": "random_search", "epsilon": 0.1, "draws": 100},
    "random_search_l2": {"method": "random_search", "norm": "l2", "epsilon": 0.2, "draws": 100},
}  # fmt: skip
RANDOM = ["pgd_restarts", "pgd_l2", "pgd_gaussian", "fgsm_restarts", "smoothed_pgd"]
RANDOM += ["pgd_fooled", "random_search_linf", "random_search_l2"]
RANDOM += ["noise_linf", "noise_l2_uniform", "noise_l2_gaussian"]
RANDOM += ["one_pixel_linf", "one_pixel_l2", "zoo", "boundary", "square"]
RANDOM += ["hop_skip_jump_linf", "hop_skip_jump_l2"]
EVERY = pytest.mark.parametrize("name", ATTACKS)


def attack(name, model, x, y, seed=0):
    perturb = registry.get("attacks", ATTACKS[name])
    return perturb(model, x, y, generator=torch.Generator().manual_seed(seed))


class Shy(nn.Module):
    """BatchNorm and dropout, which are different in training mode."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.norm, self.drop = nn.BatchNorm2d(1), nn.Dropout(0.5)
        self.last = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))

    def forward(self, x):
        return self.last(self.drop(self.norm(x)))


def test_the_attacks_of_these_tests_are_all_there_are():
    """But for AutoAttack, which asks for four classes: test_autoattack.py; texts: test_words.py."""
    named = {entry["method"] for entry in ATTACKS.values()} | {"autoattack"}
    assert named == {
        name
        for name in registry.names("attacks")
        if registry.reads("attacks", {"method": name}) == "images"
    }


@EVERY
def test_a_success_is_feasible_and_fools_and_a_failure_is_the_image_bit_for_bit(name, two_classes):
    p = two_classes
    x_adv, success = attack(name, p.model, p.x, p.y)
    epsilon, norm = ATTACKS[name]["epsilon"], registry.config("attacks", ATTACKS[name]).norm
    assert success.dtype == torch.bool and success.shape == p.y.shape
    assert success.any() and not success.all()  # both kinds are looked at
    assert (p.model(x_adv).argmax(1) != p.y).equal(success)
    assert feasible(p.x, x_adv, norm, epsilon).all()
    assert distance(x_adv - p.x, norm)[success].min() > 0
    assert x_adv[~success].equal(p.x[~success])


@EVERY
def test_what_was_misclassified_is_never_a_success_and_comes_back_untouched(name, two_classes):
    p = two_classes
    wrong = torch.arange(len(p.y)) % 2 == 0
    y = torch.where(wrong, 1 - p.y, p.y)
    x_adv, success = attack(name, p.model, p.x, y)
    assert not success[wrong].any() and x_adv[wrong].equal(p.x[wrong])
    assert success[~wrong].any()


@EVERY
def test_the_model_is_left_exactly_as_it_was(name):
    model = Shy().train()
    model.drop.eval()
    model.last[1].bias.requires_grad_(False)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    attack(name, model, torch.rand(8, 1, 4, 4), torch.arange(8) % 3)
    after = model.state_dict()
    assert all(after[key].equal(value) for key, value in before.items())
    assert [module.training for module in model.modules()] == modes
    assert [weight.requires_grad for weight in model.parameters()] == [True, True, True, False]
    assert all(weight.grad is None for weight in model.parameters())


@EVERY
def test_a_model_in_training_mode_is_attacked_as_it_will_be_used(name):
    model, x = Shy(), torch.rand(16, 1, 4, 4)
    model.norm.running_mean.fill_(0.4)
    y = model.eval()(x).argmax(1)
    expected = attack(name, model, x, y)
    found = attack(name, model.train(), x, y)
    assert all(a.equal(b) for a, b in zip(expected, found, strict=True))


@EVERY
def test_images_labels_and_torchs_global_random_numbers_are_left_alone(name, two_classes):
    p = two_classes
    x, y, state = p.x.clone(), p.y.clone(), torch.get_rng_state()
    attack(name, p.model, x, y)
    assert torch.get_rng_state().equal(state)
    assert x.equal(p.x) and y.equal(p.y)


@EVERY
def test_the_generator_alone_decides_the_bits(name, two_classes):
    p = two_classes
    torch.manual_seed(1)
    first = attack(name, p.model, p.x, p.y, seed=5)[0]
    torch.manual_seed(2)
    assert attack(name, p.model, p.x, p.y, seed=5)[0].equal(first)


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
