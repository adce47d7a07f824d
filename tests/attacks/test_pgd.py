"""PGD against foolbox's own, step by step: where it is, who falls on the way, and who leaves."""

import eagerpy as ep
import foolbox.attacks as fa
import pytest
import torch
from torch import nn

from robustinfo.attacks import _foolbox, pgd
from robustinfo.attacks._objectives import OBJECTIVES
from robustinfo.attacks._success import keep_successes
from robustinfo.maths.balls import feasible

BALL = {"linf": {"epsilon": 0.05, "step_size": 0.01}, "l2": {"epsilon": 0.5, "step_size": 0.1}}
NUMBERS = {"steps": 5, "restarts": 2}
FOOLBOX = {
    "linf": fa.LinfProjectedGradientDescentAttack,
    "l2": fa.L2ProjectedGradientDescentAttack,
}
NORMS = pytest.mark.parametrize("norm", BALL)
EVERY = pytest.mark.parametrize("name", ["mlp", "resnet18", "wide_resnet"])


def perturb(model, x, y, seed=1, **settings):
    generator = torch.Generator().manual_seed(seed)
    return *pgd.perturb(model, x, y, config=pgd.Config(**settings), generator=generator), generator


def foolboxs(model, x, y, *, config, generator):
    """Where one run of foolbox's PGD ends, fooling or not."""
    attack = FOOLBOX[config.norm](
        abs_stepsize=config.step_size, steps=config.steps, random_start=config.random_start
    )
    climbed = OBJECTIVES[config.objective]
    attack.get_loss_fn = lambda network, labels: (
        lambda at: ep.astensor(climbed(network._model, at.raw, labels.raw)[1])
    )
    return _foolbox.run(attack, model, x, y, epsilon=config.epsilon, generator=generator)[1]


def shown(run, model, x, y, *, seed=1, restarts=1, **settings):
    """Every image that a run shows the network, (restarts, steps or one more, n, c, h, w).

    Nobody leaves: every restart takes all images, and all of its steps. And where they end.
    """
    config, images = pgd.Config(restarts=restarts, **settings), []
    generator = torch.Generator().manual_seed(seed)
    hook = model.register_forward_pre_hook(lambda _, given: images.append(given[0].detach()))
    ends = [run(model, x, y, config=config, generator=generator) for _ in range(restarts)]
    hook.remove()
    return torch.stack(images).unflatten(0, (restarts, -1)), torch.stack(ends)


def recorded(model, x, y, **settings):
    """What foolbox shows the network, and who falls at each of its steps."""
    at, _ = shown(foolboxs, model, x, y, **settings)
    with torch.no_grad():
        falls = model(at.flatten(0, 2)).argmax(1).view(at.shape[:3]) != y
        return at, falls & (model(x).argmax(1) == y)


@EVERY
@NORMS
@pytest.mark.parametrize("random_start", [True, False])
@pytest.mark.parametrize("objective", ["cross_entropy", "margin"])
def test_after_every_step_an_image_is_where_foolboxs_pgd_has_it(
    name, norm, random_start, objective, problem
):
    model, x, y = problem(name, torch.double)
    settings = {"norm": norm, "objective": objective, "random_start": random_start} | BALL[norm]
    theirs, their_end = shown(foolboxs, model, x, y, steps=5, **settings)
    ours, our_end = shown(pgd.craft, model, x, y, steps=5, **settings)
    ours = torch.cat([ours, our_end[None]], 1)  # foolbox asks once more where it ends
    assert ours.shape == theirs.shape and (ours[0, 1:] != ours[0, :-1]).flatten(1).any(1).all()
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)
    torch.testing.assert_close(our_end, their_end, atol=1e-6, rtol=0)


@NORMS
def test_in_float32_it_is_foolboxs_step_but_for_the_last_digit(norm, problem):
    """Both project with the same arithmetic; foolbox cuts where a run ends once more."""
    model, x, y = problem("resnet18")
    theirs, their_end = shown(foolboxs, model, x, y, steps=5, norm=norm, **BALL[norm])
    ours, our_end = shown(pgd.craft, model, x, y, steps=5, norm=norm, **BALL[norm])
    assert ours.equal(theirs[:, :5])
    torch.testing.assert_close(our_end, their_end, atol=1e-7, rtol=0)


@EVERY
@NORMS
@pytest.mark.parametrize("objective", ["cross_entropy", "margin"])
def test_who_falls_is_who_fell_at_any_step_of_full_runs_that_nobody_leaves(
    name, norm, objective, problem
):
    model, x, y = problem(name, torch.double)
    settings = {"norm": norm, "objective": objective} | BALL[norm] | NUMBERS
    expected = recorded(model, x, y, **settings)[1].any(0).any(0)
    assert expected.any() and not expected.all()
    for until in ("end", "fooled"):
        x_adv, success, _ = perturb(model, x, y, until=until, **settings)
        assert success.equal(expected)
        assert feasible(x, x_adv, norm, BALL[norm]["epsilon"]).all()


@EVERY
def test_so_it_is_in_float32_and_on_images_in_channels_last(name, problem):
    model, x, y = problem(name)
    settings = BALL["linf"] | NUMBERS
    expected = recorded(model, x, y, **settings)[1].any(0).any(0)
    x = x.contiguous(memory_format=torch.channels_last)
    for until in ("end", "fooled"):
        assert perturb(model, x, y, until=until, **settings)[1].equal(expected)


@EVERY
@NORMS
def test_an_image_is_the_last_that_fooled_or_the_first_if_it_leaves(name, norm, problem):
    model, x, y = problem(name, torch.double)
    settings = {"norm": norm, "steps": 5} | BALL[norm]
    at, falls = (one[0] for one in recorded(model, x, y, **settings))
    for until, pick in (("end", lambda hits: hits[-1]), ("fooled", lambda hits: hits[0])):
        x_adv, success, _ = perturb(model, x, y, until=until, **settings)
        for i in success.nonzero().squeeze(1):
            expected = at[pick(falls[:, i].nonzero().squeeze(1)), i]
            torch.testing.assert_close(x_adv[i], expected, atol=1e-9, rtol=0)


def test_what_falls_at_the_last_step_ends_where_a_whole_run_ends(problem):
    model, x, y = problem("resnet18")
    settings = {"steps": 5} | BALL["linf"]
    generator = torch.Generator().manual_seed(1)
    end = pgd.craft(model, x, y, config=pgd.Config(**settings), generator=generator)
    _, last = keep_successes(model, x, y, end, norm="linf", epsilon=0.05)
    x_adv, success, _ = perturb(model, x, y, **settings)
    assert last.any() and (success | ~last).all()
    # Where a gradient is all but 0, its rounding decides its sign: a step or two apart.
    assert ((x_adv - end)[last].abs() < 1e-6).double().mean() > 0.99


def test_an_image_is_not_evaluated_after_its_first_success(problem):
    model, x, y = problem("mlp", torch.double)
    settings = {"steps": 5} | BALL["linf"]
    _, falls = recorded(model, x, y, **settings)
    correct = model(x).argmax(1) == y
    first = torch.where(falls[0].any(0), falls[0].int().argmax(0), 5)[correct]
    for until, expected in (("fooled", (first + 1).clamp(max=5)), ("end", 0 * first + 5)):
        asked = []

        def note(_, given, asked=asked):
            asked.append(len(given[0]) if given[0].requires_grad else 0)

        hook = model.register_forward_pre_hook(note)
        perturb(model, x, y, until=until, **settings)
        hook.remove()
        assert sum(asked) == expected.sum()


def test_the_generator_goes_on_as_if_nobody_had_left(two_classes):
    p = two_classes
    settings = {"step_size": 0.01, "steps": 4, "restarts": 3}
    states = [
        perturb(p.model, p.x, p.y, epsilon=epsilon, until=until, **settings)[2].get_state()
        for epsilon in (0.0, 0.02, 1.0)  # none, some and all fall
        for until in ("end", "fooled")
    ]
    assert all(state.equal(states[0]) for state in states)


class Valley(nn.Module):
    """One pixel, and class 1 wins around 0.6 only."""

    def forward(self, x):
        height = (x.flatten(1) - 0.6).abs() - 0.02
        return torch.cat([height, 0 * height], 1)


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_more_steps_find_what_fewer_find_although_they_step_over_it(steps):
    x, y = torch.full((1, 1, 1, 1), 0.5), torch.tensor([0])
    numbers = {"epsilon": 0.2, "step_size": 0.09, "steps": steps, "random_start": False}
    end = pgd.craft(Valley(), x, y, config=pgd.Config(**numbers), generator=torch.Generator())
    assert end.item() == pytest.approx(0.59 if steps % 2 else 0.68)
    for until in ("end", "fooled"):
        x_adv, success, _ = perturb(Valley(), x, y, until=until, **numbers)
        assert success.all() and x_adv.item() == pytest.approx(0.59)


def test_bfloat16_only_steers_and_what_falls_is_judged_in_float32(two_classes):
    """Offsets of 100 leave bfloat16 half a logit: by itself it would take ties for successes."""
    p = two_classes
    p.model[1].bias.data += 100
    settings = {"epsilon": 0.02, "step_size": 0.01, "steps": 5, "random_start": False}
    settings |= {"until": "fooled", "objective": "margin"}
    with torch.autocast("cpu", torch.bfloat16):
        ties = p.model(p.x).argmax(1) != p.model(p.x).float().argmax(1)
        wrong = p.model(p.x).argmax(1) != p.y
    assert wrong.any() and not ties.any()
    expected = perturb(p.model, p.x, p.y, **settings)[1]
    x_adv, success, _ = perturb(p.model, p.x, p.y, precision="bfloat16", **settings)
    assert success.equal(expected) and success.any() and not success.all()
    assert (p.model(x_adv).argmax(1) != p.y).equal(success) and x_adv.dtype == torch.float32


def test_a_search_in_bfloat16_that_does_not_end_with_a_success_is_refused():
    numbers = {"epsilon": 0.1, "step_size": 0.1, "steps": 1}
    with pytest.raises(ValueError, match="write `until: fooled`"):
        pgd.Config(**numbers, precision="bfloat16")
