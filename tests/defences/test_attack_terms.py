"""What an adaptive attacker climbs, against the terms and the objective as one expression each."""

from functools import partial

import pytest
import torch
from torch.nn import functional as F

from robustinfo.attacks import _objectives, adaptive
from robustinfo.core import registry
from robustinfo.defences import ib_rar
from robustinfo.maths.activation_entropy import activation_entropy
from robustinfo.maths.divergence import kl_from_standard_normal
from robustinfo.maths.margin import margin
from robustinfo.models.bottleneck import gaussian

LOSS = {"method": "cross_entropy"}
ENTROPIC = {"method": "entropic", "loss": LOSS, "weight": 0.7, "factor": 2.0}
VIB = {"method": "vib", "loss": LOSS, "weight": 0.25}
STATE = {"pretrained_flow": torch.tensor(1.3)}


def entropic_alone(model, x, y):
    _, seen = model.observe(x, (model.activations[0], model.activations[-1]))
    first, last = (activation_entropy(h) for h in seen.values())
    gap = (first - last) / (len(model.activations) - 1) - 2.0 * STATE["pretrained_flow"]
    return 0.7 * gap.square().sum()


def rated(model, x, y):
    _, seen = model.observe(x, ("code",))
    rate = kl_from_standard_normal(*gaussian(seen["code"]))
    return 0.25 * rate.sum()


def plain(model, x, y):
    return 0.0


def around(base, model, x, y):
    """Of the base's own pass, if it has a term, and another for the layers."""
    logits, seen = model.observe(x, model.probes)
    layers, config = [*seen.values()], ib_rar.Config(base=ENTROPIC)
    information = ib_rar._information(x, y, logits.shape[1], layers, config)
    return base(model, x, y) + len(y) * (0.008 * information[0] - 0.08 * information[1])


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
@pytest.mark.parametrize("weight", [0.5, -3.0])
@pytest.mark.parametrize("objective", ["cross_entropy", "margin"])
def test_the_attack_is_the_one_on_the_whole_expression_part_by_part(
    entry, whole, objective, weight
):
    torch.manual_seed(0)
    network = {"method": "bottleneck", "network": {"method": "lenet5"}, "size": 8}
    model = registry.get("models", network)((1, 28, 28), 10).eval()
    x = torch.rand(12, 1, 28, 28, requires_grad=True)
    y = model(x).argmax(1)
    term = partial(
        registry.module("defences", entry).attack_term, model, state=STATE,
        config=registry.config("defences", entry),
    )  # fmt: skip
    torch.testing.assert_close(term(x, y)[1], whole(model, x, y), rtol=1e-6, atol=0)
    logits, total = adaptive._normalised_sum(
        term, weight, _objectives.OBJECTIVES[objective], model, x, y
    )
    loss = F.cross_entropy(model(x), y, reduction="sum")
    if objective == "margin":
        loss = -margin(model(x), y).sum()
    along, aside = (
        F.normalize(torch.autograd.grad(part, x)[0].flatten(1))
        for part in (loss, whole(model, x, y))
    )
    found = torch.autograd.grad(total, x)[0].flatten(1)
    torch.testing.assert_close(found, along + weight * aside, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(logits, model(x))
