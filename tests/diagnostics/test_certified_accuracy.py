"""What is certified is never turned, by exact solutions and by attacks; most of it is found."""

import pytest
import torch
from torch import nn

from robustinfo.attacks import pgd
from robustinfo.diagnostics import certified_accuracy
from tests.evaluation.honest import CASES, stand_in
from tests.evaluation.soundness import PROBLEMS

# Of the provably safe images, the least share that is certified.
LEAST = {"linear-linf": 1.0, "linear-l2": 1.0, "relu-plain-linf": 0.6, "relu-certified-linf": 0.9}


def masks(model, x, y, **numbers):
    config = certified_accuracy.Config(**numbers)
    return certified_accuracy.certified(model, x, y, config=config)


@pytest.mark.parametrize("name", LEAST)
def test_no_image_that_an_exact_solution_turns_is_certified_and_most_safe_ones_are(name):
    p = PROBLEMS[name]()
    found = torch.stack(masks(p.model, p.x, p.y, norm=p.ball.norm, epsilon=p.ball.epsilon)).any(0)
    assert not (found & p.broken).any()
    assert (found & p.safe).sum() >= LEAST[name] * p.safe.sum()


@pytest.mark.parametrize("name", ["certified", "connected"])
def test_no_attack_turns_what_is_certified(name):
    case, norm = stand_in(name), CASES[name].norm
    epsilon = case.epsilon / 4
    found = torch.stack(masks(case.model, case.x, case.y, norm=norm, epsilon=epsilon)).any(0)
    config = pgd.Config(norm=norm, epsilon=epsilon, step_size=epsilon / 4, steps=20)
    generator = torch.Generator().manual_seed(0)
    _, success = pgd.perturb(case.model, case.x, case.y, config=config, generator=generator)
    assert not (found & success).any()
    assert found.any()


def rows(model, x, y, stored=None, **numbers):
    config = certified_accuracy.Config(**numbers)
    found = certified_accuracy.diagnose(
        model, x, y, config=config, generator=torch.Generator(), examples=stored
    )
    return {one.quantity: one for one in found}


def test_what_is_certified_and_turned_is_counted():
    case = stand_in("certified")
    found = torch.stack(masks(case.model, case.x, case.y, epsilon=0.1)).any(0)
    success = torch.zeros_like(found)
    success[found.nonzero()[:3]] = True
    success[(~found).nonzero()[:2]] = True
    about = {"epsilon": 0.1, "examples": "pgd"}
    told = rows(case.model, case.x, case.y, {"success": success}, **about)
    n = len(found)
    assert told["certified_broken_fraction"].value == 3 / n
    assert told["certified_accuracy"].value == found.double().mean().item() > 0.5
    assert {one.n for one in told.values()} == {n}


def test_where_there_is_no_bound_that_is_the_only_row_with_its_reason():
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 3), nn.Softmax(1))
    told = rows(network, torch.rand(4, 1, 4, 4), torch.zeros(4, dtype=torch.long), epsilon=0.1)
    assert [*told] == ["unbounded_layers"]
    assert (told["unbounded_layers"].value, told["unbounded_layers"].layer) == (1, "_softmax at 2")


def test_an_error_on_the_clean_image_is_not_certified():
    case = stand_in("certified")
    wrong = (case.y + 1) % 10
    for mask in masks(case.model, case.x, wrong, epsilon=0.0):
        assert mask.equal(case.model(case.x).argmax(1) == wrong)
