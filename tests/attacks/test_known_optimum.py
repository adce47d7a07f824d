"""On a linear classifier the optimum is known: epsilon times the dual norm of w off the margin."""

import foolbox.attacks as fa
import pytest
import torch
from torch import nn

from robustinfo.attacks import (
    _foolbox,
    additive_noise,
    bim,
    carlini_wagner,
    deepfool,
    fab,
    fgsm,
    hop_skip_jump,
    mi_fgsm,
    pgd,
    random_search,
    square,
)
from robustinfo.maths.balls import distance

DUAL = {"linf": 1, "l2": 2, "l1": torch.inf}
NORMS = pytest.mark.parametrize("norm, epsilon", [("linf", 0.02), ("l2", 0.06), ("l1", 0.12)])
ONE_STEP = [
    (fgsm, {}),
    (bim, {"step_size": 0.01, "steps": 20}),
    (pgd, {"step_size": 0.01, "steps": 20, "random_start": False}),
    (pgd, {"step_size": 0.01, "steps": 20, "random_start": False, "objective": "margin"}),
    (mi_fgsm, {"step_size": 0.01, "steps": 20}),
    (mi_fgsm, {"step_size": 0.01, "steps": 20, "nesterov": True}),
]


def margin(p, x):
    """(n,) true logit minus the best other."""
    logits = p.model(x)
    true = logits.gather(1, p.y[:, None])
    return (true[:, 0] - logits.scatter(1, p.y[:, None], -torch.inf).amax(1)).detach()


def other_minus_true(p):
    """(n, K, d): the direction from the true logit to each other one."""
    return p.weight[None] - p.weight[p.y][:, None]


def least_distance(p, dual):
    """(n,) to the nearest of the K - 1 boundaries, in the norm whose dual is given."""
    logits = p.model(p.x).detach()
    gaps = logits.gather(1, p.y[:, None]) - logits  # (n, K)
    reach = other_minus_true(p).norm(p=dual, dim=2)
    return (gaps / reach).masked_fill(reach == 0, torch.inf).amin(1)


@NORMS
@pytest.mark.parametrize("attack, settings", ONE_STEP)
def test_gradient_attacks_take_exactly_epsilon_times_the_dual_norm_off_the_margin(
    attack, settings, norm, epsilon, two_classes, generator
):
    p = two_classes
    config = attack.Config(norm=norm, epsilon=epsilon, **settings)
    x_adv, success = attack.perturb(p.model, p.x, p.y, config=config, generator=generator)
    loss = epsilon * (p.weight[0] - p.weight[1]).norm(p=DUAL[norm])
    clean = margin(p, p.x)
    assert success.equal(clean < loss)  # it finds all that can be found, and nothing else
    assert success.any() and not success.all()
    torch.testing.assert_close(
        margin(p, x_adv)[success], (clean - loss)[success], atol=2e-5, rtol=1e-5
    )


STARTS = pytest.mark.parametrize("start", [{}, {"start_std": 0.005}])


@STARTS
def test_linf_pgd_from_a_random_start_ends_in_the_same_corner(start, two_classes, generator):
    p = two_classes
    config = pgd.Config(epsilon=0.02, step_size=0.01, steps=5, **start)
    x_adv = pgd.craft(p.model, p.x, p.y, config=config, generator=generator)
    loss = 0.02 * (p.weight[0] - p.weight[1]).norm(p=1)
    torch.testing.assert_close(margin(p, x_adv), margin(p, p.x) - loss, atol=2e-5, rtol=1e-5)


@STARTS
def test_l2_pgd_from_a_random_start_comes_close_to_the_optimum(start, two_classes, generator):
    p = two_classes
    config = pgd.Config(norm="l2", epsilon=0.06, step_size=0.02, steps=40, **start)
    x_adv = pgd.craft(p.model, p.x, p.y, config=config, generator=generator)
    loss = 0.06 * (p.weight[0] - p.weight[1]).norm()
    lost = margin(p, p.x) - margin(p, x_adv)
    assert (lost <= loss * (1 + 1e-4)).all() and (lost > 0.99 * loss).all()


def test_fgsm_from_noise_loses_only_what_the_noise_had_gone_the_wrong_way(two_classes):
    """A pixel that starts n the wrong way ends n short of epsilon; the others end at epsilon."""
    p = two_classes
    seeds = torch.Generator().manual_seed(4), torch.Generator().manual_seed(4)
    settings = {"epsilon": 0.02, "start_std": 0.005}
    nowhere = pgd.Config(**settings, step_size=0.0, steps=1)
    noise = pgd.craft(p.model, p.x, p.y, config=nowhere, generator=seeds[0]) - p.x
    x_adv = fgsm.craft(p.model, p.x, p.y, config=fgsm.Config(**settings), generator=seeds[1])
    direction = other_minus_true(p).sum(1).view_as(p.x)
    short = (-noise * direction.sign()).clamp(min=0)
    lost = ((0.02 - short) * direction.abs()).flatten(1).sum(1)
    torch.testing.assert_close(margin(p, x_adv), margin(p, p.x) - lost, atol=2e-5, rtol=1e-5)
    assert (short > 0).any()


def test_pgd_on_the_margin_goes_on_where_the_cross_entropy_is_flat(two_classes):
    """At 1000 times the logits the cross-entropy's gradient is 0 in float32 on every image."""
    p = two_classes
    p.model.register_forward_hook(lambda *passed: 1000 * passed[-1])

    def success(objective):
        config = pgd.Config(
            epsilon=0.06, step_size=0.01, steps=20, random_start=False, objective=objective
        )
        return pgd.perturb(p.model, p.x, p.y, config=config, generator=torch.Generator())[1]

    within = margin(p, p.x) < 1000 * 0.06 * (p.weight[0] - p.weight[1]).norm(p=1)
    sure = margin(p, p.x) > 200
    assert success("margin").equal(within) and (within & sure).any() and not within.all()
    assert not (success("cross_entropy") & sure).any()


def test_pgd_on_the_margin_climbs_to_the_best_other_class_where_the_sum_of_others_misleads(
    generator,
):
    """Up wins three classes a little, down the best one: only the best can be made to win."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(1, 5)).eval()
    model[1].weight.data = torch.tensor([[0.0], [1.0], [1.0], [1.0], [-1.0]])
    model[1].bias.data = torch.tensor([0.65, -0.5, -0.5, -0.5, 1.0])
    x, y = torch.full((1, 1, 1, 1), 0.5), torch.zeros(1, dtype=torch.int64)
    numbers = {"epsilon": 0.2, "step_size": 0.1, "steps": 4, "random_start": False}
    ends = {}
    for objective in ("cross_entropy", "margin"):
        config = pgd.Config(**numbers, objective=objective)
        _, success = pgd.perturb(model, x, y, config=config, generator=generator)
        end = pgd.craft(model, x, y, config=config, generator=generator)
        ends[objective] = (round(end.item(), 5), success.item())
    assert ends == {"cross_entropy": (0.7, False), "margin": (0.3, True)}


@pytest.mark.parametrize("targets", [None, 3])
@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_fab_finds_the_nearest_of_all_boundaries(norm, targets, four_classes, generator):
    p = four_classes
    config = fab.Config(norm=norm, targets=targets, steps=30)
    x_adv, success = fab.perturb(p.model, p.x, p.y, config=config, generator=generator)
    assert success.all()
    found, least = distance(x_adv - p.x, norm), least_distance(p, DUAL[norm])
    assert (found > least - 1e-5).all()  # nothing is closer than the boundary
    torch.testing.assert_close(found, least, rtol=0.01, atol=1e-4)


def test_fab_on_one_target_finds_the_nearest_boundary_to_the_likeliest_wrong_class(
    four_classes, generator
):
    p = four_classes
    logits = p.model(p.x).detach()
    second = logits.scatter(1, p.y[:, None], -torch.inf).argmax(1)
    reach = (p.weight[second] - p.weight[p.y]).norm(dim=1)
    config = fab.Config(norm="l2", targets=1, steps=30)
    x_adv, success = fab.perturb(p.model, p.x, p.y, config=config, generator=generator)
    assert success.all()
    found = distance(x_adv - p.x, "l2")
    aimed = p.model(x_adv).argmax(1) == second  # on the way, another class may be met first
    torch.testing.assert_close(found[aimed], (margin(p, p.x) / reach)[aimed], rtol=0.01, atol=1e-4)
    assert aimed.float().mean() > 0.8 and (found > least_distance(p, 2) * 1.05).any()


@pytest.mark.parametrize("settings", [{}, {"targets": 9}, {"restarts": 2}])
def test_fab_within_epsilon_finds_what_lies_within_epsilon(settings, four_classes, generator):
    p = four_classes
    nearest = least_distance(p, 1)
    epsilon = nearest.sort()[0][31:33].mean().item()
    config = fab.Config(epsilon=epsilon, steps=20, **settings)
    _, success = fab.perturb(p.model, p.x, p.y, config=config, generator=generator)
    assert success.equal(nearest < epsilon)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_deepfool_goes_to_the_nearest_of_all_boundaries_and_over_it_by_the_overshoot(
    norm, four_classes, generator
):
    p = four_classes
    config = deepfool.Config(norm=norm, overshoot=0.1)
    x_adv, success = deepfool.perturb(p.model, p.x, p.y, config=config, generator=generator)
    assert success.all()
    stabiliser = 1e-4  # foolbox adds it to every distance
    expected = 1.1 * (least_distance(p, DUAL[norm]) + stabiliser)
    torch.testing.assert_close(distance(x_adv - p.x, norm), expected, atol=1e-6, rtol=1e-4)


def test_deepfool_within_epsilon_finds_what_lies_within_epsilon(four_classes, generator):
    p = four_classes
    config = deepfool.Config(epsilon=0.06, overshoot=0.0)
    _, success = deepfool.perturb(p.model, p.x, p.y, config=config, generator=generator)
    nearest = least_distance(p, 2)
    assert success.equal(nearest < 0.06)
    assert success.any() and not success.all()


def test_carlini_and_wagner_find_the_closed_form_of_the_smallest_perturbation(
    two_classes, generator
):
    p = two_classes
    p.x, p.y = p.x[:16], p.y[:16]
    config = carlini_wagner.Config(steps=500, step_size=0.005)
    x_adv, success = carlini_wagner.perturb(p.model, p.x, p.y, config=config, generator=generator)
    assert success.all()
    found, least = distance(x_adv - p.x, "l2"), least_distance(p, 2)
    assert (found > least - 1e-5).all()  # nothing is closer than the boundary
    torch.testing.assert_close(found, least, rtol=0.03, atol=1e-3)


def test_the_confidence_that_was_asked_for_is_kept(two_classes, generator):
    p = two_classes
    p.x, p.y = p.x[:16], p.y[:16]
    config = carlini_wagner.Config(
        binary_search_steps=6, steps=100, initial_const=1, confidence=0.5, step_size=0.05
    )
    x_adv, success = carlini_wagner.perturb(p.model, p.x, p.y, config=config, generator=generator)
    assert success.all() and (margin(p, x_adv) < -0.5).all()


@NORMS
def test_hop_skip_jump_comes_close_to_the_smallest_perturbation_by_labels_alone(
    norm, epsilon, two_classes, generator
):
    p = two_classes
    config = hop_skip_jump.Config(norm=norm, steps=40)
    x_adv, success = hop_skip_jump.perturb(p.model, p.x, p.y, config=config, generator=generator)
    assert success.all()
    found, least = distance(x_adv - p.x, norm), least_distance(p, DUAL[norm])
    assert (found > least - 1e-5).all()
    torch.testing.assert_close(found, least, rtol=0.06 if norm == "l1" else 0.03, atol=1e-3)
    config = hop_skip_jump.Config(norm=norm, steps=40, epsilon=epsilon)
    _, success = hop_skip_jump.perturb(p.model, p.x, p.y, config=config, generator=generator)
    assert success[least < 0.95 * epsilon].all() and not success[least > epsilon].any()


def test_square_finds_exactly_what_lies_within_epsilon_in_linf(two_classes, generator):
    """The optimum is a corner of the ball, and every pixel's own square gets there by itself."""
    p = two_classes
    config = square.Config(epsilon=0.02, queries=1000)
    _, success = square.perturb(p.model, p.x, p.y, config=config, generator=generator)
    assert success.equal(least_distance(p, 1) < 0.02)
    assert success.any() and not success.all()


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_random_search_in_one_dimension_finds_all_that_lies_within_epsilon(norm, generator):
    """The most distant of these images falls by one draw in 200: 10,000 miss it with 1e-22."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(1, 2)).eval()
    model[1].weight.data, model[1].bias.data = torch.tensor([[1.0], [0.0]]), torch.tensor([0, 0.5])
    x = (0.5 + torch.linspace(0.001, 0.199, 100)).view(-1, 1, 1, 1)
    y, config = torch.zeros(100, dtype=torch.int64), random_search.Config(norm=norm, epsilon=0.1)
    _, success = random_search.perturb(model, x, y, config=config, generator=generator)
    assert success.equal(x.flatten() < 0.6)


def test_random_search_reaches_in_400_dimensions_a_sixth_of_what_gradients_reach(generator):
    """A draw changes a margin by a sum of 400 terms, and the best of 1,000 by 3.09 deviations."""
    w = torch.randn(400, generator=generator)
    model = nn.Sequential(nn.Flatten(), nn.Linear(400, 2, bias=False)).eval()
    model[1].weight.data = torch.stack([w, torch.zeros(400)])
    best, reach = 0.02 * w.norm(p=1), 3.09 * 0.02 * w.norm() / 3**0.5
    assert reach < best / 6
    clean = torch.linspace(0, 1, 102)[1:-1] * best
    # Each image has its own margin, and mid-grey moved along w stays far from 0 and 1.
    x = 0.5 + (clean - 0.5 * w.sum())[:, None] * w / w.square().sum()
    assert x.min() > 0.1 and x.max() < 0.9
    x, y = x.view(-1, 1, 20, 20), torch.zeros(100, dtype=torch.int64)
    config = random_search.Config(epsilon=0.02, draws=1000)
    _, success = random_search.perturb(model, x, y, config=config, generator=generator)
    assert success[clean < 0.8 * reach].all() and not success[clean > 1.25 * reach].any()
    gradient = fgsm.Config(epsilon=0.02)
    assert fgsm.perturb(model, x, y, config=gradient, generator=generator)[1].all()


@pytest.mark.parametrize("epsilon", [0.01, 0.3])
def test_linf_noise_never_exceeds_epsilon_although_foolboxs_own_does(
    epsilon, two_classes, generator
):
    p = two_classes
    attack = fa.LinfAdditiveUniformNoiseAttack()
    raw, cut = _foolbox.run(attack, p.model, p.x, p.y, epsilon=epsilon, generator=generator)
    assert distance(raw - p.x, "linf").max() > epsilon * 1.01
    assert distance(cut - p.x, "linf").max() <= epsilon + 1e-7


@pytest.mark.parametrize(
    ("norm", "distribution", "epsilon"),
    [("l2", "uniform", 0.3), ("l2", "gaussian", 0.3), ("l1", "uniform", 1.2)],
)
def test_noise_has_exactly_the_size_epsilon_where_the_box_does_not_bind(
    norm, distribution, epsilon, two_classes, generator
):
    p = two_classes
    config = additive_noise.Config(norm=norm, distribution=distribution, epsilon=epsilon)
    x_adv, success = additive_noise.perturb(p.model, p.x, p.y, config=config, generator=generator)
    size = distance(x_adv - p.x, norm)[success]
    assert len(size)
    torch.testing.assert_close(size, torch.full_like(size, epsilon))


def test_noise_of_signs_moves_every_value_of_every_image_by_epsilon_up_as_often_as_down(
    two_classes, generator
):
    p = two_classes
    config = additive_noise.Config(norm="linf", distribution="signs", epsilon=0.1)
    moved = additive_noise.craft(p.model, p.x, p.y, config=config, generator=generator) - p.x
    torch.testing.assert_close(moved.abs(), torch.full_like(moved, 0.1))
    assert 0.4 < (moved > 0).double().mean() < 0.6


def test_restarts_find_all_that_one_run_finds_and_more(two_classes):
    p = two_classes

    def success(restarts):
        config = pgd.Config(epsilon=0.1, step_size=1e-4, steps=1, restarts=restarts)
        generator = torch.Generator().manual_seed(0)
        return pgd.perturb(p.model, p.x, p.y, config=config, generator=generator)[1]

    one, many = success(1), success(8)
    assert (many | ~one).all() and many.sum() > one.sum() > 0
