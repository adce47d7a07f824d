"""What a judged network is put through, and how long that takes at most."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from robustinfo import catalogue
from robustinfo.auditing import attacked, attacks_of
from robustinfo.budgets import Cost, estimates, largest, passes
from robustinfo.evaluating import diagnostics_of
from robustinfo.faults import Fault
from robustinfo.protocols import SIZES, Ball, Size, adaptive, attacks, diagnostics

BALLS = [Ball(norm="linf", epsilon=0.01), Ball(norm="l2", epsilon=0.05)]
EACH = (1e-3, 1e-4)


@pytest.mark.parametrize("ball", BALLS, ids=lambda ball: ball.norm)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
def test_every_entry_of_a_protocol_is_a_method_with_its_numbers(size, ball):
    entries = attacks(size, ball) | adaptive(size, ball)
    for entry in entries.values():
        config = catalogue.config("attacks", entry)
        assert (config.norm, config.epsilon) == (ball.norm, ball.epsilon)
    levels = {}
    for asked in diagnostics_of(diagnostics(size, ball, 784)):
        levels.setdefault(asked.entry, []).append(asked.level)
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


def test_the_largest_that_fits_is_taken_and_a_twin_costs_as_much_again():
    ball = BALLS[0]
    known = dict(estimates(EACH, ball, Cost(1000)))
    assert [*known.values()] == sorted(known.values())
    for size, seconds in known.items():
        assert largest(EACH, ball, seconds, Cost(1000)) == (size, seconds)
        assert largest(EACH, ball, 2 * seconds, Cost(1000, networks=2)) == (size, 2 * seconds)
    with pytest.raises(Fault, match=r"the smallest, glance, .*try again with --budget \d+s"):
        largest(EACH, ball, 0.9 * known[SIZES[0]], Cost(1000))
    few = dict(estimates(EACH, ball, Cost(64)))
    assert few[SIZES[0]] == known[SIZES[0]] and few[SIZES[1]] < known[SIZES[1]]


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


@pytest.mark.parametrize("ball", BALLS, ids=lambda ball: ball.norm)
def test_no_network_is_asked_more_often_than_was_said(ball):
    size = Size("tiny", 8, 10, 2, 300, 4, 200, 4, True)
    model, x = Counted().eval(), 0.3 + 0.4 * torch.rand(8, 1, 8, 8)
    y = model(x).argmax(1)
    model.seen = {True: 0, False: 0}
    for asked in diagnostics_of(diagnostics(size, ball, 64)):
        asked.diagnose(model, x, y, generator=torch.Generator())
    made = attacks_of(attacks(size, ball) | adaptive(size, ball), term=None)
    assert not attacked(model, x, y, made, torch.Generator(), lambda name: None).failed
    gradients, queries = passes(size, ball, term=True)
    assert 0.05 * gradients < model.seen[True] / len(x) < gradients
    assert 0.05 * queries < model.seen[False] / len(x) < queries
