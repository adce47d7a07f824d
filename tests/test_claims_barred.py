"""Claims that no numbers decide: estimates at their ceilings, and sides that differ in more."""

import math

import pandas as pd
import pytest
from pydantic import ValidationError

from tests.made_results import RATES, alone, claim, results

SCALE = {"where": {"quantity": "logit_scale"}, "within": 0.2}


def full(table, defence):
    """The values of one side."""
    return (table.defence == defence) & (table.stage == "attack")


@pytest.mark.parametrize("defence", ["standard", "entropic"])
def test_one_side_at_its_ceiling_is_enough_and_so_is_one_seed_of_two(defence):
    table = results(**RATES)
    for rows, share in ((full(table, defence), 1.0), (table.seed == 0, 0.5)):
        some = table.copy()
        some.loc[full(table, defence) & rows, "saturated"] = "True"
        found = alone(some, claim())
        assert (found["saturated"], found["judgement"]) == (share, "saturated")
        said = f"{share:.0%} of a side's values are at their ceiling: attack_success_rate"
        assert found["reason"] == said
    table.loc[full(table, defence) & (table.epoch == 0), "saturated"] = "True"
    assert alone(table, claim())["judgement"] == "supported"  # asks for the last epoch


def test_a_claim_of_every_layer_is_not_decided_where_one_sits_at_its_ceiling_on_one_side():
    layers = [results(**RATES).assign(layer=f"conv{number}") for number in range(5)]
    layers[3].loc[full(layers[3], "standard"), "saturated"] = "True"
    together = pd.concat(layers, ignore_index=True)
    found = alone(together, claim(worst_over="layer"))
    assert (found["saturated"], found["judgement"]) == (1.0, "saturated")
    assert found["reason"] == "100% of a side's values are at their ceiling: conv3"
    rest = together[together.layer != "conv3"]
    assert alone(rest, claim(worst_over="layer"))["judgement"] == "supported"


@pytest.mark.parametrize(
    ("own", "twin", "apart"),
    [
        ((4.0, 5.0), (5.0, 5.0), ""),
        ((5.0, 4.0), (5.0, 5.0), ""),
        ((0.0, 0.0), (0.0, 0.0), ""),
        ((5.0, 3.9), (5.0, 5.0), "seed 1: logit_scale 3.9 against 5"),
        ((4.0, 6.0), (6.0, 4.0), "seed 0: logit_scale 4 against 6"),  # their means are alike
        ((5.0, math.nan), (5.0, 5.0), "seed 1: logit_scale nan against 5"),
        ((5.0, 5.0), (5.0,), "seed 1: logit_scale 5 against nan"),
    ],
)
def test_sides_that_differ_in_what_they_must_have_alike_decide_nothing(own, twin, apart):
    table = results(**RATES, logit_scale={"entropic": own, "standard": twin})
    found = alone(table, claim(alike=[SCALE]))
    assert found["judgement"] == ("confounded" if apart else "supported")
    assert found["reason"] == (apart and f"{apart}, not alike within 0.2 of the greater")
    assert found["value"] == pytest.approx(-0.38)
    assert found["statistic"].endswith(", at like logit_scale; claimed below 0")


def test_every_quantity_must_be_alike_and_what_says_nothing_at_all_is_said_first():
    table = results(**RATES, logit_scale={"entropic": (5.0, 5.0), "standard": (5.0, 5.0)})
    clean = {"where": {"stage": "diagnose", "entry": "clean", "quantity": "accuracy"}}
    asked = claim(alike=[SCALE, clean | {"within": 0.1}])
    assert alone(table, asked)["judgement"] == "supported"
    own = (table.entry == "clean") & (table.defence == "entropic")
    table.loc[own, "value"] = 0.8  # a ninth less than the twin's
    found = alone(table, asked)
    assert found["judgement"] == "confounded" and found["reason"].startswith("seed 0: accuracy 0.8")
    table.loc[full(table, "standard"), "saturated"] = "True"
    assert alone(table, asked)["judgement"] == "saturated"
    table.loc[own, "value"] = 0.1
    assert alone(table, asked)["judgement"] == "undertrained"


def test_what_must_be_alike_and_is_known_of_neither_side_decides_nothing():
    found = alone(results(**RATES), claim(alike=[SCALE]))
    assert (found["judgement"], found["reason"]) == ("confounded", "logit_scale is not known")


def test_networks_are_compared_only_where_no_seed_of_either_is_at_its_ceiling():
    one_of_three = {
        side: (*values, sum(values) / 2) for side, values in RATES["attack_success_rate"].items()
    }
    scales = {side: (5.0,) * 3 for side in one_of_three}
    table = results(attack_success_rate=one_of_three, logit_scale=scales)
    table.loc[full(table, "standard") & (table.seed == 0), "saturated"] = "True"
    assert alone(table, claim())["judgement"] == "supported"
    assert alone(table, claim(alike=[SCALE]))["judgement"] == "saturated"


def test_a_claim_with_one_side_has_nothing_to_be_alike_to():
    with pytest.raises(ValidationError, match="`alike` compares two sides; it needs `against`"):
        claim(against=None, alike=[SCALE])


def test_what_must_be_alike_is_a_quantity():
    with pytest.raises(ValidationError, match="name the `quantity` that must be alike"):
        claim(alike=[{"where": {"entry": "logit_scale"}, "within": 0.2}])
