"""Defences and diagnostics keep their promises on their studies' networks; broken ones are told."""

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from robustinfo.core import registry
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Settings
from tests.contracts.entries import SHAPE, TEXT_SHAPE, built, each
from tests.promises import Broken, Held, networks, of
from tests.promises.attacks import Case


def case(network):
    """What an untrained network says of two inputs in three, and other labels for the rest."""
    network, generator = network or {"method": "lenet5"}, torch.Generator().manual_seed(0)
    model = built(network).eval()
    x = torch.rand(6, *SHAPE, generator=generator)
    if registry.reads("models", network) == "texts":
        x = torch.randint(TEXT_SHAPE[1], (6, TEXT_SHAPE[0]), generator=generator)
    y = model(x).argmax(1)
    y[::3] = (y[::3] + 1) % 10
    return Case(model, x, y)


@each("defences")
def test_a_defence_keeps_its_promises(entry, network):
    one = case(network)
    one.model.train()
    networks.defence(of("defences", entry), one)


@each("diagnostics", ("images",))
def test_a_diagnostic_keeps_its_promises(entry, network):
    networks.diagnostic(of("diagnostics", entry), case(network))


class Config(Settings):
    pass


def outline(config):
    return [{"quantity": ("clean",)}]


def loss_terms(model, x, y, *, config, generator):
    return {"clean": F.cross_entropy(model(x), y)}


def terms(change):
    def changed(model, x, y, *, config, generator):
        return change(model, x, y, loss_terms(model, x, y, config=config, generator=generator))

    return {"loss_terms": changed}


def left(model, x, y, found):
    found["clean"].backward(retain_graph=True)
    return found


def doubled(model, x, y, found):
    x.mul_(0.5)
    return found


def asleep(model, x, y, found):
    model.eval()
    return found


def drawing(model, x, y, *, config, generator):
    torch.rand(1, generator=generator)
    return loss_terms(model, x, y, config=config, generator=generator)


def preparing(model, batches, *, config):
    return model, {"flow": 1.0}


def bounded(*, shift):
    return lambda model, x, y, *, config, generator: x + shift


DEFENCES = {
    "every term is a finite scalar": terms(lambda m, x, y, f: {"clean": f["clean"] / 0}),
    "its outline names the terms": terms(lambda m, x, y, f: {"own": f["clean"]}),
    "the terms have a slope": terms(lambda m, x, y, f: {"clean": f["clean"].detach()}),
    "no gradient is left behind": terms(left),
    "its inputs are left alone": terms(doubled),
    "modes come back": terms(asleep),
    "SAME_STEPS draws nothing": {"loss_terms": drawing, "SAME_STEPS": True},
    "the state is tensors": {"loss_terms": loss_terms, "prepare": preparing},
    "adversaries lie in": {"loss_terms": loss_terms, "adversaries": bounded(shift=1)},
    "attack_term gives a finite scalar": {
        "loss_terms": loss_terms,
        "attack_term": lambda model, x, y, *, config, state: (model(x), model(x).sum(1)),
    },
    "attack_term has a slope": {
        "loss_terms": loss_terms,
        "attack_term": lambda model, x, y, *, config, state: (model(x), torch.tensor(0.0)),
    },
}


@pytest.mark.parametrize("promise", DEFENCES)
def test_a_defence_that_breaks_a_promise_is_told_which(promise):
    one, parts = case(None), {"Config": Config, "outline": outline} | DEFENCES[promise]
    one.model.train()
    with pytest.raises(Broken) as raised:
        networks.defence(Held("defences", "twin", SimpleNamespace(**parts), Config()), one)
    assert promise in str(raised.value)


def sound(model, x, y):
    return [fraction("clean", model(x).argmax(1) == y)]


def retrained(model, x, y):
    model.fc3.bias.data += 1
    return sound(model, x, y)


def awake(model, x, y):
    model.train()
    return sound(model, x, y)


def lucky(model, x, y):
    with torch.random.fork_rng():
        return [fraction("clean", torch.rand(64) < 0.5)]


DIAGNOSTICS = {
    "it says something": lambda model, x, y: [],
    "its outline names own": lambda model, x, y: [fraction("own", y == y)],
    "the network's weights stay": retrained,
    "the network's modes come back": awake,
    "the generator alone decides": lucky,
    "are finite": lambda model, x, y: [Measurement("clean", float("nan"))],
}


@pytest.mark.parametrize("promise", DIAGNOSTICS)
def test_a_diagnostic_that_breaks_a_promise_is_told_which(promise):
    def diagnose(model, x, y, *, config, generator):
        return DIAGNOSTICS[promise](model, x, y)

    parts = SimpleNamespace(Config=Config, outline=outline, diagnose=diagnose)
    with pytest.raises(Broken) as raised:
        networks.diagnostic(Held("diagnostics", "twin", parts, Config()), case(None))
    assert promise in str(raised.value)
