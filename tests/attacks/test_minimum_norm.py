"""FMN, DDN and FAB find the exact least perturbation of a linear network, box and all."""

import math
from functools import partial

import eagerpy as ep
import foolbox.attacks as fa
import pytest
import torch
from foolbox import Misclassification
from scipy.optimize import brentq, linprog

from robustinfo.attacks import _foolbox, ddn, fab, fmn
from robustinfo.attacks._success import fooled, keep_successes
from robustinfo.maths.balls import distance
from tests.attacks.test_known_optimum import DUAL, least_distance
from tests.conftest import linear_problem

NORMS = pytest.mark.parametrize("norm", ["linf", "l2"])


def found(module, p, generator, **settings):
    """(n,) distances of an attack that turns every image."""
    config = module.Config(**settings)
    x_adv, success = module.perturb(p.model, p.x, p.y, config=config, generator=generator)
    assert success.all() and fooled(p.model, x_adv, p.y).all()
    return distance(x_adv - p.x, config.norm)


@NORMS
@pytest.mark.parametrize("steps, within", [(20, 0.0015), (100, 0.0005)])
def test_fmn_of_two_classes_ends_at_the_boundary(norm, steps, within, two_classes, generator):
    sizes = found(fmn, two_classes, generator, norm=norm, steps=steps)
    least = least_distance(two_classes, DUAL[norm])
    assert (sizes > least * (1 - 1e-6)).all() and (sizes < least * (1 + within) + 1e-6).all()


@NORMS
def test_fmn_aimed_at_every_class_ends_at_the_nearest_boundary_and_untargeted_not_always(
    norm, four_classes, generator
):
    p, least = four_classes, least_distance(four_classes, DUAL[norm])
    aimed = found(fmn, p, generator, norm=norm, steps=50, targets=9) / least
    untargeted = found(fmn, p, generator, norm=norm, steps=50) / least
    assert (aimed > 1 - 1e-6).all() and (aimed < 1.002).all()
    assert (untargeted > 1 - 1e-6).all() and 1.2 < untargeted.max() < 1.5


def test_ddn_of_two_classes_ends_at_the_boundary(two_classes, generator):
    sizes = found(ddn, two_classes, generator, steps=300, first_radius=0.1)
    ratios = sizes / least_distance(two_classes, 2)
    assert (ratios > 1 - 1e-6).all() and (ratios < 1.002).all()


def in_the_box(norm, x, direction, gap):
    """The least norm of delta with <direction, delta> = gap > 0 and x + delta in [0, 1], or inf."""
    if norm == "linf":  # linear: over (delta, t), |delta| <= t
        d = len(x)
        rows = [[*(sign * (i == j) for j in range(d)), -1] for sign in (1, -1) for i in range(d)]
        solved = linprog(
            [0] * d + [1], rows, [0] * 2 * d, [[*direction, 0]], [gap],
            bounds=[*((-a, 1 - a) for a in x), (0, None)],
        )  # fmt: skip
        return solved.fun if solved.success else math.inf

    def moved(slope):  # where the gradient of the Lagrangian is 0, cut to the box
        return (x + slope * direction).clamp(0, 1) - x

    def lacks(slope):
        return gap - (direction @ moved(slope)).item()

    return math.inf if lacks(1e6) > 0 else moved(brentq(lacks, 0, 1e6, xtol=1e-14)).norm().item()


@NORMS
@pytest.mark.parametrize(
    "module, settings, within",
    [(fmn, {"steps": 200, "targets": 9}, 0.001), (fab, {"steps": 100, "targets": 9}, 0.01)],
    ids=["fmn", "fab"],
)
def test_where_the_box_binds_they_come_as_near_as_linear_and_quadratic_programs(
    module, settings, within, norm, generator
):
    p = linear_problem(4, images=20, seed=3)
    p.x = (2.2 * torch.rand(p.x.shape, generator=generator) - 0.6).clamp(0, 1)  # half at an edge
    logits = p.model(p.x).detach()
    p.y = logits.argmax(1)
    least = []
    for x, y, row in zip(p.x.flatten(1).double(), p.y, logits.double(), strict=True):
        others = [k for k in range(4) if k != y]
        toward = {k: (p.weight[k] - p.weight[y]).double() for k in others}
        least.append(min(in_the_box(norm, x, toward[k], (row[y] - row[k]).item()) for k in others))
    ratios = found(module, p, generator, norm=norm, **settings) / torch.tensor(least)
    free = least_distance(p, DUAL[norm]) / torch.tensor(least)
    assert (free < 0.99).float().mean() > 0.5  # the box does bind
    assert (ratios > 1 - 1e-5).all() and (ratios < 1 + within).all(), ratios


def one_by_one(network, x, y, config, aim=None):
    """Algorithm 1 of arXiv 2102.12827 for one image, written out; reach: before the box's cut."""
    norm, reach, best = {"linf": math.inf, "l2": 2}[config.norm], 0.0, None
    at, radius = x, math.inf
    for k in range(config.steps):
        cosine = (1 + math.cos(math.pi * k / config.steps)) / 2
        gamma = 0.001 + (config.gamma - 0.001) * cosine
        at = at.detach().requires_grad_()
        logits = network(at[None])[0]
        rival = torch.cat([logits[:y], logits[y + 1 :]]).max() if aim is None else logits[aim]
        (slope,) = torch.autograd.grad(rival - logits[y], at)
        if logits.argmax() != y:
            size = torch.linalg.vector_norm(at - x, norm)
            if best is None or size < torch.linalg.vector_norm(best - x, norm):
                best, reach_of_best = at, reach
            radius = min(radius * (1 - gamma), reach_of_best)
        elif best is not None:
            radius = radius * (1 + gamma)
        else:
            dual = torch.linalg.vector_norm(slope, {math.inf: 1, 2: 2}[norm])
            radius = (reach + (logits[y] - rival).abs() / dual) * (1 + gamma)
        length = config.step_size * (0.01 + 0.99 * cosine)
        delta = at - x + length * slope / slope.norm()
        if norm == 2:
            delta = delta * min(1, radius / delta.norm())
        else:
            delta = delta.clamp(-radius, radius)
        reach = torch.linalg.vector_norm(delta, norm)
        at = (x + delta).clamp(0, 1)
    return x if best is None else best.detach()


@NORMS
@pytest.mark.parametrize("network", ["mlp", "resnet18"])
def test_fmn_takes_the_steps_of_its_paper(network, norm, problem, generator):
    model, x, y = problem(network, torch.double, images=8)
    config = fmn.Config(norm=norm, steps=15)
    expected = torch.stack([one_by_one(model, a, b, config) for a, b in zip(x, y, strict=True)])
    x_adv, success = fmn.perturb(model, x, y, config=config, generator=generator)
    kept = keep_successes(model, x, y, expected, norm=norm, epsilon=None)
    assert success.equal(kept[1]) and success.sum() >= 6
    torch.testing.assert_close(x_adv, kept[0], rtol=0, atol=1e-9)


def test_foolboxs_l2_fmn_does_not_project(problem, generator):
    model, x, y = problem("mlp", torch.double)
    theirs = fa.L2FMNAttack(steps=30)
    moved = ep.astensor(x + 5)
    assert theirs.project(moved, ep.astensor(x), ep.astensor(y + 1.0)).raw.equal(x + 5)
    raw, _ = _foolbox.run(theirs, model, x, y, epsilon=None, generator=generator)
    right = model(x).argmax(1) == y
    config = fmn.Config(norm="l2", steps=30)
    ours, success = fmn.perturb(model, x, y, config=config, generator=generator)
    assert success.equal(right)
    sizes = partial(distance, norm="l2")
    assert (sizes(ours - x) < sizes(raw - x))[right].double().mean() > 0.9


def test_ddn_finds_what_foolboxs_finds(problem, generator):
    model, x, y = problem("mlp", torch.double)
    attack = fa.DDNAttack(steps=30)
    criterion = Misclassification(y)
    raw, _ = _foolbox.run(attack, model, x, criterion, epsilon=None, generator=generator)
    expected = keep_successes(model, x, y, raw, norm="l2", epsilon=None)
    x_adv, success = ddn.perturb(model, x, y, config=ddn.Config(steps=30), generator=generator)
    assert success.equal(expected[1]) and success.sum() > 12
    torch.testing.assert_close(x_adv, expected[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("module, settings", [(fmn, {"norm": "l2"}), (ddn, {"first_radius": 0.1})])
def test_within_epsilon_they_find_what_lies_within_epsilon(
    module, settings, two_classes, generator
):
    p = two_classes
    least = least_distance(p, 2)
    epsilon = least.sort()[0][31:33].mean().item()
    config = module.Config(epsilon=epsilon, **settings)
    _, success = module.perturb(p.model, p.x, p.y, config=config, generator=generator)
    assert success.equal(least < epsilon) and success.any() and not success.all()


@pytest.mark.parametrize("module", [fmn, ddn])
def test_where_there_is_no_gradient_nothing_is_found_and_x_comes_back(module, generator):
    class Constant(torch.nn.Module):
        def forward(self, x):
            return 0 * x.flatten(1).sum(1, keepdim=True) + torch.tensor([1.0, 0.0])

    x, y = torch.rand(4, 1, 4, 4), torch.zeros(4, dtype=torch.int64)
    config = module.Config(steps=5)
    x_adv, success = module.perturb(Constant(), x, y, config=config, generator=generator)
    assert not success.any() and x_adv.equal(x)
