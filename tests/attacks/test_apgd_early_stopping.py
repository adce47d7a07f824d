"""AutoPGD without those that have fallen, beside the package's own with all of them."""

import pytest
import torch
from pyautoattack import AutoAttack
from pyautoattack.autopgd_base import APGDAttack, APGDAttack_targeted

from robustinfo.attacks import autoattack
from robustinfo.attacks._apgd_early_stopping import stop_early
from robustinfo.attacks._frozen import seeded

EVERY = pytest.mark.parametrize("network", ["resnet18", "wide_resnet"])
ATTACKS = {"untargeted": APGDAttack, "targeted": APGDAttack_targeted}
EPSILON = {"Linf": 0.015, "L2": 0.12}


def asked(model, run):
    """What the run returns, and how many images it wanted a gradient of."""
    counts = []

    def note(_, given):
        counts.append(len(given[0]) if given[0].requires_grad else 0)

    hook = model.register_forward_pre_hook(note)
    found = run()
    hook.remove()
    return found, sum(counts)


@EVERY
@pytest.mark.parametrize("norm", EPSILON)
@pytest.mark.parametrize("name", ATTACKS)
def test_the_same_images_fall_and_are_not_asked_about_again(network, name, norm, problem):
    model, x, y = problem(network)
    correct, found = model(x).argmax(1) == y, []
    for leave in (False, True):
        attack = ATTACKS[name](model, n_iter=10, norm=norm, eps=EPSILON[norm], device="cpu")
        attack.n_target_classes = 3
        if leave:
            stop_early(attack)
        x_adv, count = asked(model, lambda attack=attack: attack.perturb(x, y))
        assert attack.model is model
        found.append((correct & (model(x_adv).argmax(1) != y), count))
    (fooled, count), (again, fewer) = found
    assert again.equal(fooled) and fooled.any() and not fooled[correct].all() and fewer < count
    size = (x_adv - x).flatten(1).norm(p=torch.inf if norm == "Linf" else 2, dim=1)
    assert size[fooled].max() <= EPSILON[norm] + 1e-6


@EVERY
def test_a_run_is_over_once_nobody_stands(network, problem):
    model, x, y = problem(network)
    attack = APGDAttack(model, eps=1.0, device="cpu")
    stop_early(attack)
    x_adv, count = asked(model, lambda: attack.perturb(x, y))
    assert (model(x_adv).argmax(1) != y).all() and count < 4 * len(y)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize(
    "until, precision", [("end", "float32"), ("fooled", "float32"), ("fooled", "bfloat16")]
)
def test_autoattacks_verdicts_are_those_of_the_package_on_the_network_as_it_is(
    until, precision, norm, problem, monkeypatch
):
    model, x, y = problem("resnet18")
    standard = AutoAttack._set_version

    def shorter(attack, version):
        standard(attack, version)
        attack.apgd.n_iter = attack.apgd_targeted.n_iter = 5
        attack.fab.n_iter, attack.square.n_queries = 2, 10

    monkeypatch.setattr(AutoAttack, "_set_version", shorter)
    epsilon, generator = EPSILON[norm.capitalize()], torch.Generator().manual_seed(0)
    seed = int(torch.randint(2**62, (), generator=generator.clone_state()))
    package = AutoAttack(model, norm=norm.capitalize(), eps=epsilon, seed=seed)
    with seeded(x, torch.Generator()):
        x_adv, _ = package.run_standard_evaluation(x, y)
        expected = (model(x).argmax(1) == y) & (model(x_adv).argmax(1) != y)
    config = autoattack.Config(norm=norm, epsilon=epsilon, until=until, precision=precision)
    x_adv, success = autoattack.perturb(model, x, y, config=config, generator=generator)
    assert success.any() and not success.all()
    if precision == "float32":
        assert success.equal(expected)
    else:  # another gradient: not all of these few steps end alike
        assert (success & expected).sum() > 0.7 * expected.sum()
        assert (model(x_adv).argmax(1) != y)[success].all()


def test_bfloat16_is_for_a_search():
    with pytest.raises(ValueError, match="write `until: fooled`"):
        autoattack.Config(epsilon=0.1, precision="bfloat16")
