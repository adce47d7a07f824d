"""DeepFool, and Carlini and Wagner's attack, find what foolbox's loops find."""

import foolbox.attacks as fa
import pytest
import torch

from robustinfo.attacks import _foolbox, carlini_wagner, deepfool
from robustinfo.attacks._success import keep_successes
from robustinfo.maths.balls import distance

CW = {"binary_search_steps": 3, "steps": 30, "initial_const": 1.0}
THREE = {"candidates": 3, "steps": 4}
OURS = {
    "deepfool_l2": (deepfool, {"norm": "l2"}, fa.L2DeepFoolAttack()),
    "deepfool_linf": (deepfool, {"norm": "linf"}, fa.LinfDeepFoolAttack()),
    "deepfool_3": (deepfool, THREE, fa.L2DeepFoolAttack(**THREE)),
    "carlini_wagner": (carlini_wagner, CW, fa.L2CarliniWagnerAttack(**CW)),
    "stops_early": (
        carlini_wagner,
        CW | {"step_size": 1e-4, "confidence": 0.5},
        fa.L2CarliniWagnerAttack(**CW, stepsize=1e-4, confidence=0.5),
    ),
    "repeats_the_best": (
        carlini_wagner,
        CW | {"binary_search_steps": 10, "steps": 10},
        fa.L2CarliniWagnerAttack(**CW | {"binary_search_steps": 10, "steps": 10}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("network", ["resnet18", "mlp"])
@pytest.mark.parametrize("epsilon", [None, 0.2])
@pytest.mark.parametrize("name", OURS)
def test_images_and_successes_are_foolboxs(name, epsilon, network, problem, generator):
    module, settings, attack = OURS[name]
    model, x, y = problem(network, torch.double)
    config = module.Config(**settings, epsilon=epsilon)
    raw, cut = _foolbox.run(attack, model, x, y, epsilon=epsilon, generator=generator)
    found = raw.flatten(1).any(1)  # foolbox's Carlini and Wagner returns black where it failed
    expected = keep_successes(model, x, y, cut, norm=config.norm, epsilon=epsilon, claimed=found)
    x_adv, success = module.perturb(model, x, y, config=config, generator=generator)
    assert success.equal(expected[1])
    torch.testing.assert_close(x_adv, expected[0], rtol=0, atol=1e-6)
    if epsilon is None and name != "stops_early":
        assert success.sum() > 12


def asked(model, run):
    """How many images are asked about in all."""
    counts = []
    hook = model.register_forward_pre_hook(lambda _, given: counts.append(len(given[0])))
    run()
    hook.remove()
    return sum(counts)


def test_deepfool_leaves_the_images_that_it_has_turned(problem, generator):
    model, x, y = problem("resnet18")
    settings = {"config": deepfool.Config(), "generator": generator}
    ours = asked(model, lambda: deepfool.perturb(model, x, y, **settings))
    attack = fa.L2DeepFoolAttack()
    theirs = asked(
        model, lambda: _foolbox.run(attack, model, x, y, epsilon=None, generator=generator)
    )
    x_adv, _ = deepfool.perturb(model, x, y, **settings)
    assert ours < theirs / 4 and (distance(x_adv - x, "l2") > 0).any()
