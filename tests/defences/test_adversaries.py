"""Making adversaries and paying for them, apart, are what they are in one go.

In float64, where the rounding of the folded copy that is attacked decides no step's direction.
"""

import copy
from functools import partial

import eagerpy as ep
import foolbox.attacks as fa
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustinfo.attacks import _foolbox, pgd
from robustinfo.attacks._frozen import frozen
from robustinfo.core import registry
from robustinfo.defences import mart
from robustinfo.maths.divergence import kl_of_softmax

LOSS = {"method": "cross_entropy"}
ROUNDING = {"rtol": 1e-6, "atol": 1e-9}  # divergences are taken in float32
ATTACK = {"epsilon": 0.1, "step_size": 0.03, "steps": 3}


@pytest.fixture
def model():
    """A pass more or less, or in another order, would show in the statistics."""
    torch.manual_seed(0)
    return (
        nn.Sequential(
            nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(216, 10)
        )
        .train()
        .double()
    )


def mixed(model, x, y, generator, *, clean_share, **attack):
    config = pgd.Config(**ATTACK | attack)
    x_adv = pgd.craft(model, x, y, config=config, generator=generator)
    terms = {"adversarial": (1 - clean_share) * F.cross_entropy(model(x_adv), y)}
    if clean_share:
        terms["clean"] = clean_share * F.cross_entropy(model(x), y)
    return terms


def traded(model, x, y, generator, *, weight):
    if not weight:
        return {"clean": F.cross_entropy(model(x), y)}
    with frozen(model), torch.no_grad():
        clean = model(x)
    attack = fa.LinfBasicIterativeAttack(abs_stepsize=0.03, steps=3, random_start=True)
    attack.get_random_start = lambda start, _: start + 0.001 * ep.astensor(torch.randn_like(x))
    attack.get_loss_fn = lambda *_: (
        lambda x_adv: ep.astensor(kl_of_softmax(clean, model(x_adv.raw)).sum())
    )
    _, x_adv = _foolbox.run(attack, model, x, y, epsilon=0.1, generator=generator)
    logits = model(x)
    divergence = kl_of_softmax(logits, model(x_adv)).mean()
    return {"clean": F.cross_entropy(logits, y), "divergence": weight * divergence}


def misclassified(model, x, y, generator):
    x_adv = pgd.craft(model, x, y, config=pgd.Config(**ATTACK), generator=generator)
    logits, attacked = model(x), model(x_adv)
    doubt = -F.log_softmax(logits.float(), dim=1).gather(1, y[:, None]).squeeze(1).expm1()
    divergence = (doubt * kl_of_softmax(logits, attacked)).mean()
    return {"adversarial": mart.boosted_cross_entropy(attacked, y), "divergence": 5 * divergence}


PAT = {"method": "adversarial", "loss": LOSS, "attack": ATTACK}
MARGIN = {"norm": "l2", "epsilon": 1.0, "step_size": 0.4, "objective": "margin"}
TRADES = {"method": "trades", "loss": LOSS, "attack": ATTACK}


@pytest.mark.parametrize(
    "entry, twin",
    [
        (PAT, partial(mixed, clean_share=0.0)),
        (PAT | {"clean_share": 0.3}, partial(mixed, clean_share=0.3)),
        (PAT | {"attack": ATTACK | MARGIN}, partial(mixed, clean_share=0.0, **MARGIN)),
        (TRADES, partial(traded, weight=6)),
        (TRADES | {"weight": 0.0}, partial(traded, weight=0)),
        ({"method": "mart", "attack": ATTACK}, misclassified),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_terms_gradients_statistics_and_random_numbers_are_those_of_the_whole(entry, twin, model):
    other, generator = copy.deepcopy(model), torch.Generator().manual_seed(0)
    x = torch.rand(24, 1, 8, 8, generator=generator, dtype=torch.double)
    y = torch.arange(24) % 10
    same = generator.clone_state()
    found = registry.get("defences", entry)(model, x, y, generator=generator)
    expected = twin(other, x, y, same)
    assert list(found) == list(expected)
    torch.testing.assert_close(found, expected, **ROUNDING)
    for terms in (found, expected):
        sum(terms.values()).backward()
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one.grad, two.grad, **ROUNDING)
        assert one.grad.any()
    torch.testing.assert_close(dict(model.state_dict()), dict(other.state_dict()), **ROUNDING)
    assert generator.get_state().equal(same.get_state())
