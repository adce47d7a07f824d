"""What a judged network is put through, and how long that takes at most."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from robustinfo.core import registry
from robustinfo.evaluation.attacks import attacks_of
from robustinfo.evaluation.budget import OVERHEAD, Task, estimates, largest_size
from robustinfo.evaluation.checks import AT_MOST, BY_NAME, CHECKS
from robustinfo.evaluation.evaluate import evaluate
from robustinfo.evaluation.protocol import attacks, cost, diagnostics
from robustinfo.evaluation.sizes import SIZES, Size
from robustinfo.evaluation.threats import Ball
from robustinfo.maths.statistics import fraction_interval

BALLS = [Ball(norm="linf", epsilon=0.01), Ball(norm="l2", epsilon=0.05)]
EACH = (1e-3, 1e-4)


@pytest.mark.parametrize("ball", BALLS, ids=lambda ball: ball.norm)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
def test_every_entry_of_a_protocol_is_a_method_with_its_numbers(size, ball):
    for part in attacks(size, ball, term=True).values():
        config = registry.config("attacks", part.entry)
        assert (config.norm, config.epsilon) == (ball.norm, ball.epsilon)
    levels = {}
    for name, part in diagnostics(size, ball, 784).items():
        for level, entry in registry.sweep(part.entry):
            registry.config("diagnostics", entry)
            levels.setdefault(name, []).append(level)
    assert levels["epsilon_curve"][0] == 0
    assert levels["epsilon_curve"][-1] == (1 if ball.norm == "linf" else 28)
    assert levels["epsilon_curve"] == sorted(levels["epsilon_curve"])


def test_a_larger_protocol_asks_everything_that_a_smaller_one_does():
    for ball in BALLS:
        names = [set(attacks(size, ball)) for size in SIZES]
        assert all(a <= b for a, b in pairwise(names))
        assert "autoattack" in names[-1] and "hop_skip_jump" in names[-1]
    for smaller, larger in pairwise(SIZES):
        assert all(a <= b for a, b in zip(smaller[1:], larger[1:], strict=True))


@pytest.mark.parametrize("classes", [4, 10, 100, 1000])
def test_from_medium_on_an_honest_network_on_which_nothing_happens_passes_every_check(classes):
    asked = [c.threshold for c in CHECKS if c.sampled and c.rule == AT_MOST]
    least = min(limit(classes) if callable(limit) else limit for limit in asked)
    for size in SIZES[2:]:
        assert fraction_interval(0, size.images)[1] <= least
        assert (
            fraction_interval(0, size.planted)[1]
            <= BY_NAME["binarization_missed_fraction"].threshold
        )
        names = {part.entry["method"] for part in attacks(size, BALLS[0]).values()}
        assert {"autoattack", "hop_skip_jump"} <= names


def test_the_largest_that_fits_is_taken_and_a_twin_costs_as_much_again():
    ball = BALLS[0]
    known = dict(estimates(EACH, [ball], Task(1000, 784)))
    assert [*known.values()] == sorted(known.values())
    for size, seconds in known.items():
        assert largest_size(EACH, [ball], seconds, Task(1000, 784)) == (size, seconds)
        two = Task(1000, 784, networks=2)
        assert largest_size(EACH, [ball], 2 * seconds, two) == (size, 2 * seconds)
    smallest = (SIZES[0], known[SIZES[0]])
    assert largest_size(EACH, [ball], 0.1 * known[SIZES[0]], Task(1000, 784)) == smallest
    few = dict(estimates(EACH, [ball], Task(64, 784)))
    assert few[SIZES[0]] == known[SIZES[0]] and few[SIZES[1]] < known[SIZES[1]]


def test_several_threat_models_take_the_time_of_all_of_them():
    task = Task(1000, 784)
    of_each = [dict(estimates(EACH, [ball], task)) for ball in BALLS]
    for size, seconds in estimates(EACH, BALLS, task):
        assert seconds == pytest.approx(sum(one[size] for one in of_each))


def test_corruptions_are_asked_of_any_protocol_or_left_out_and_are_counted():
    """Fourteen at five severities, of every image once; from medium on they are there."""
    ball, images = BALLS[0], 400
    task = Task(images, 784)
    without, usual, all_have = (
        dict(estimates(EACH, [ball], task._replace(corruptions=one))) for one in (False, None, True)
    )
    for size in SIZES:
        more = 70 * (min(size.images, images) * EACH[1] + OVERHEAD)  # each in one batch
        assert all_have[size] - without[size] == pytest.approx(more)
        assert usual[size] == (all_have if size.corruptions else without)[size]
    assert [size.corruptions for size in SIZES] == [False, False, True, True, True]


class Counted(nn.Module):
    """A linear network that counts the images it is shown, with and without a gradient."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        self.seen = {True: 0, False: 0}

    def forward(self, x):
        self.seen[torch.is_grad_enabled()] += len(x)
        return self.layers(x)

    def __deepcopy__(self, memo):
        return self  # the copies that are attacked count, too


def test_where_there_are_few_images_more_of_them_are_planted():
    """So that an image costs more, and the 100 planted ones of 100 cost what those of 1,000 do."""
    full, ball = SIZES[-1], BALLS[0]
    few, all_of_them = (diagnostics(full, ball, 64, images) for images in (full.planted, None))
    for name in ("binarization_pgd", "binarization_margin_pgd"):
        cost_of_few, cost_of_all = few[name].cost, all_of_them[name].cost
        assert cost_of_few.gradients * full.planted == pytest.approx(
            cost_of_all.gradients * full.images
        )


@pytest.mark.parametrize("ball", BALLS, ids=lambda ball: ball.norm)
def test_no_network_is_asked_more_often_than_was_said(ball):
    size = Size("own", 8, 10, 2, 300, 4, 200, 4, True, corruptions=True)
    model, x = Counted().eval(), 0.3 + 0.4 * torch.rand(8, 1, 8, 8)
    y = model(x).argmax(1)
    model.seen = {True: 0, False: 0}
    made = {name: part.entry for name, part in attacks(size, ball, term=True).items()}
    asked = {name: part.entry for name, part in diagnostics(size, ball, 64).items()}
    found = evaluate(
        model, x, y, classes=10, ball=ball, attacks=attacks_of(made, term=None), diagnostics=asked,
        progress=lambda name: None,
    )  # fmt: skip
    assert not found.not_made
    said = cost(size, ball, 64, term=True)
    assert 0.05 * said.gradients < model.seen[True] < said.gradients
    assert 0.05 * said.queries < model.seen[False] < said.queries
