"""Measures keep their promises, and broken ones are told which; and who says rows of learning."""

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from robustinfo.core import registry
from robustinfo.core.measurement import Measurement, exact
from robustinfo.core.settings import Settings
from tests.contracts.entries import each
from tests.promises import Broken, Held, measures, of

Y = torch.arange(4).repeat(25)  # as many as a batch of hsic and nhsic
T = F.one_hot(Y).float()
X = torch.rand(100, 1, 4, 4, generator=torch.Generator().manual_seed(0))


@each("measures")
def test_a_measure_keeps_its_promises(entry, network):
    measures.held(of("measures", entry), T, Y, X)


@pytest.mark.parametrize("name", registry.names("toys"))
def test_a_toy_keeps_its_promises(name):
    channel = {"measure": {"method": "ksg_information"}, "points": [30], "draws": 2}
    small = {"geometry": {"draws": 1}, "noisy_xor": {"points": 8}}
    small |= {"gaussian_channel": channel, "label_channel": channel}
    held = of("toys", {"method": name} | small.get(name, {}))
    measures.rows(
        held, lambda generator: held.module.compute(config=held.config, generator=generator)
    )


class Config(Settings):
    pass


def outline(config):
    return [{"quantity": ("scale", "bits")}]


def sound(t, y, *, config):
    return [Measurement("scale", t.double().std().item())]


def saying(*found):
    return lambda t, y, *, config: [*found]


def unsound(t, y, *, config):
    t.mul_(2)
    return sound(t, y, config=config)


def crashing(t, y, *, config):
    if len(t) < 2:
        raise ValueError("")
    return sound(t, y, config=config)


TWINS = {
    "POINTS is": (sound, {"POINTS": "everywhere"}),
    "it says something": (saying(), {}),
    "its outline names size": (saying(Measurement("size", 1.0)), {}),
    "is a plain number": (saying(Measurement("scale", torch.tensor(1.0))), {}),
    "it says no quantity twice": (saying(*[Measurement("scale", 1.0)] * 2), {}),
    "it leaves the entry": (saying(Measurement("scale", 1.0, entry="mine")), {}),
    "lies in its interval": (saying(Measurement("scale", 1.0, "own", low=2.0, high=3.0)), {}),
    "is a fraction of n": (saying(Measurement("scale", 2.0, "fraction", 4)), {}),
    "no interval but its own": (saying(Measurement("scale", 1.0, low=0.0)), {}),
    "have a ceiling": (saying(Measurement("bits", 1.0)), {}),
    "says if it is reached": (saying(Measurement("bits", 1.0, ceiling=2.0)), {}),
    "its inputs are left alone": (unsound, {}),
    "torch's global random numbers": (
        lambda t, y, *, config: [Measurement("scale", torch.rand(1).item())], {},
    ),
    "the order of the samples": (
        lambda t, y, *, config: [Measurement("scale", t[0, 0].item())], {},
    ),
    "says why": (crashing, {}),
    "in parts it says": (
        sound,
        {
            "add": lambda held, t, *, config: t,
            "measurements": lambda sums, *, config: [Measurement("scale", 0.0)],
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("promise", TWINS)
def test_a_measure_that_breaks_a_promise_is_told_which(promise):
    verb, more = TWINS[promise]
    parts = {"Config": Config, "POINTS": "probes", "outline": outline, "estimate": verb} | more
    with pytest.raises(Broken) as raised:
        measures.held(Held("measures", "twin", SimpleNamespace(**parts), Config()), T.clone(), Y, X)
    assert promise in str(raised.value)


def test_a_toy_that_draws_from_elsewhere_is_told_so():
    def compute(*, config, generator):
        with torch.random.fork_rng():
            yield exact("scale", torch.rand(1).item())

    held = Held("toys", "twin", SimpleNamespace(outline=outline), Config())
    with pytest.raises(Broken, match="the generator alone decides"):
        measures.rows(held, lambda generator: compute(config=held.config, generator=generator))
