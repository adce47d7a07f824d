"""Honest networks are accused of nothing, and what is planted in them is seen."""

import pytest
import torch

from benchmarks.honest.bounds import certified
from robustinfo.attacks import pgd
from robustinfo.diagnostics import loss_trajectory, zero_gradients
from robustinfo.evaluation.protocol import REACH
from tests.evaluation.defects.defect import Before
from tests.evaluation.defects.fronts import sixteen_greys
from tests.evaluation.honest import CASES, stand_in

pytestmark = pytest.mark.proof

SPARED = 0.05  # of all images, as in benchmarks/honest_networks.py
STEPS = 20  # of the smallest protocol's PGD


def path(name, model=None, steps=STEPS, size=REACH / STEPS):
    """What loss_trajectory says of a stand-in, or of a model made of it; size in epsilons."""
    case, norm = stand_in(name), CASES[name].norm
    config = loss_trajectory.Config(
        norm=norm, epsilon=case.epsilon, steps=steps, step_size=size * case.epsilon
    )
    found = loss_trajectory.diagnose(
        model or case.model, case.x, case.y, config=config, generator=drawn()
    )
    return {one.quantity: one.value for one in found}


def flat(name, model=None):
    case = stand_in(name)
    config = zero_gradients.Config(norm=CASES[name].norm, epsilon=case.epsilon)
    found = zero_gradients.diagnose(
        model or case.model, case.x, case.y, config=config, generator=drawn()
    )
    return {one.quantity: one.value for one in found}["flat_fraction"]


def drawn():
    return torch.Generator().manual_seed(0)


def clean_accuracy(name):
    case = stand_in(name)
    return (case.model(case.x).argmax(1) == case.y).double().mean()


@pytest.mark.parametrize("name", CASES)
def test_an_honest_network_is_accused_of_nothing(name):
    assert clean_accuracy(name) > 0.9
    found = path(name)
    assert found["unconverged_fraction"] <= SPARED
    assert found["never_rises_fraction"] <= 0.01
    assert flat(name) == 0


@pytest.mark.parametrize("steps, part", [(3, 0.1), (3, 0.4), (5, 0.2), (7, 0.3)])
@pytest.mark.parametrize("name", CASES)
def test_steps_that_end_early_are_told_on_each_of_them(name, steps, part):
    """All steps together are a part of epsilon long."""
    found = path(name, steps=steps, size=part / steps)
    assert found["unconverged_fraction"] > 5 * SPARED


@pytest.mark.parametrize("front", [sixteen_greys, torch.Tensor.detach], ids=["greys", "detached"])
@pytest.mark.parametrize("name", CASES)
def test_a_front_that_denies_its_gradient_is_told_on_each_of_them(name, front):
    model = Before(front, stand_in(name).model)
    assert flat(name, model) > 0.85
    assert path(name, model)["never_rises_fraction"] > 0.85


def test_a_bound_certifies_what_no_step_can_turn():
    """Else it would be no stand-in for a certified network."""
    case = stand_in("certified")
    sure = certified(case.model, case.x, case.y, case.epsilon)
    assert sure.double().mean() > 0.5
    config = pgd.Config(epsilon=case.epsilon, step_size=case.epsilon / 8, steps=STEPS)
    _, success = pgd.perturb(case.model, case.x, case.y, config=config, generator=drawn())
    assert not (sure & success).any()


def test_a_network_trained_to_the_end_has_gradients_that_vanish_and_hides_nothing(monkeypatch):
    case, name = stand_in("trained to the end"), "trained to the end"
    with monkeypatch.context() as patch:
        patch.setattr(zero_gradients, "BELOW", 1e-9)
        zero = zero_gradients.vanishing(case.model, case.x, case.y)
    assert zero.double().mean() > 0.05
    assert flat(name) == 0
