"""What an adaptive attacker climbs, against the objective as one expression: bit for bit."""

from functools import partial

import pytest
import torch
from torch.nn import functional as F

from robustinfo import catalogue
from robustinfo.attacks import _foolbox, adaptive, pgd
from robustinfo.defences import ib_rar
from robustinfo.maths.activation_entropy import activation_entropy
from robustinfo.maths.divergence import kl_from_standard_normal
from robustinfo.models.bottleneck import gaussian

LOSS = {"method": "cross_entropy"}
ENTROPIC = {"method": "entropic", "loss": LOSS, "weight": 0.7, "factor": 2.0}
VIB = {"method": "vib", "loss": LOSS, "weight": 0.25}
STATE = {"pretrained_flow": torch.tensor(1.3)}


def entropic_alone(model, x, y, weight):
    logits, seen = model.observe(x, (model.activations[0], model.activations[-1]))
    first, last = (activation_entropy(h) for h in seen.values())
    gap = (first - last) / (len(model.activations) - 1) - 2.0 * STATE["pretrained_flow"]
    return F.cross_entropy(logits, y, reduction="sum") + weight * (0.7 * gap.square().sum())


def rated(model, x, y, weight):
    logits, seen = model.observe(x, ("code",))
    rate = kl_from_standard_normal(*gaussian(seen["code"]))
    return F.cross_entropy(logits, y, reduction="sum") + weight * (0.25 * rate.sum())


def plain(model, x, y, _):
    return F.cross_entropy(model(x), y, reduction="sum")


def around(base, model, x, y, weight):
    """Of the base's own pass and another; of plain training there is the one for the layers."""
    logits, seen = model.observe(x, model.probes)
    if base is plain:
        loss = F.cross_entropy(logits, y, reduction="sum")
    else:
        loss = base(model, x, y, weight)
    information = ib_rar._information(x, y, logits, seen, ib_rar.Config(base=ENTROPIC))
    return loss + weight * len(y) * (0.008 * information[0] - 0.08 * information[1])


def wrapped(base):
    return {"method": "ib_rar", "base": base}


@pytest.mark.parametrize(
    "entry, whole",
    [
        (ENTROPIC, entropic_alone),
        (VIB, rated),
        (wrapped({"method": "standard", "loss": LOSS}), partial(around, plain)),
        (wrapped(ENTROPIC), partial(around, entropic_alone)),
        (wrapped(VIB), partial(around, rated)),
    ],
    ids=["entropic", "vib", "ib_rar-standard", "ib_rar-entropic", "ib_rar-vib"],
)
@pytest.mark.parametrize("norm, epsilon", [("linf", 0.1), ("l2", 2.0)])
@pytest.mark.parametrize("weight", [0.0, 0.5, 3.0])
def test_the_attack_is_the_one_on_the_whole_expression(entry, whole, norm, epsilon, weight):
    torch.manual_seed(0)
    network = {"method": "bottleneck", "network": {"method": "lenet5"}, "size": 8}
    model = catalogue.get("models", network)((1, 28, 28), 10).eval()
    x = torch.rand(12, 1, 28, 28)
    y = model(x).argmax(1)
    config = adaptive.Config(
        norm=norm, epsilon=epsilon, step_size=epsilon / 4, steps=3, term_weight=weight
    )
    ascents = [pgd.method(config) for _ in range(2)]
    term = partial(
        catalogue.module("defences", entry).attack_term, model, state=STATE,
        config=catalogue.config("defences", entry),
    )  # fmt: skip
    _foolbox.climb(ascents[0], lambda x, y: adaptive.objective(term, weight, x, y)[1])
    _foolbox.climb(ascents[1], lambda x, y: whole(model, x, y, weight))
    found, expected = (
        _foolbox.run(
            attack, model, x, y, epsilon=epsilon, generator=torch.Generator().manual_seed(1)
        )[0]
        for attack in ascents
    )
    assert found.equal(expected) and not found.equal(x)
    torch.testing.assert_close(
        adaptive.objective(term, weight, x, y)[1], whole(model, x, y, weight), rtol=1e-6, atol=0
    )
