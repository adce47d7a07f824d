"""An attack is not trusted: neither its claims, nor its silence, nor the mode that it leaves."""

import pytest
import torch
from torch import nn

from robustinfo.evaluation.attacks import Attack, run_attack
from robustinfo.evaluation.threats import Threat
from tests.conftest import linear_problem

EPSILON = 0.5  # turns every image of the problem


def run(perturb, model=None):
    p = linear_problem(2)
    model, attack = model or p.model, Attack(Threat("iterated", "linf", EPSILON), perturb, {})
    right = torch.ones(len(p.y), dtype=torch.bool)
    found = run_attack(
        model, p.x, p.y, right, attack, rows=slice(0, len(p.y)), generator=torch.Generator()
    )
    return p, found


def turned(model, x, y, distance):
    """Images moved along the difference of the weights, to the other class."""
    weight = next(part for part in model.modules() if isinstance(part, nn.Linear)).weight
    way = (weight[1] - weight[0]).sign().view_as(x[0])
    return x + distance * torch.where(y.view(-1, 1, 1, 1) == 0, way, -way)


@pytest.mark.parametrize("claimed", [True, False])
def test_an_image_that_is_turned_counts_whether_it_is_claimed_or_not(claimed):
    def perturb(model, x, y, *, generator):
        return turned(model, x, y, 0.3), torch.full(y.shape, claimed)

    _, found = run(perturb)
    assert found.success.all() and found.miscounted.all() == (not claimed)
    assert found.miscounted.any() == (not claimed)


def test_an_image_outside_the_ball_that_is_not_claimed_is_nothing():
    def perturb(model, x, y, *, generator):
        return turned(model, x, y, 0.6), torch.zeros_like(y, dtype=torch.bool)

    _, found = run(perturb)
    assert found.infeasible.all() and not (found.success | found.miscounted).any()


def test_an_attack_that_leaves_the_network_in_training_mode_is_verified_in_eval_mode():
    p = linear_problem(2)
    model = nn.Sequential(nn.Dropout(0.9), *p.model).eval()

    def perturb(model, x, y, *, generator):
        model.train()
        return x, torch.ones_like(y, dtype=torch.bool)

    _, found = run(perturb, model)
    assert found.miscounted.all() and not found.success.any()
    assert not any(part.training for part in model.modules())
