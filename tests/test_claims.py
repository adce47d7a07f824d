"""When a claim is decided, and why not, on results whose answer is known."""

import math

import pandas as pd
import pytest
from pydantic import ValidationError

from pipeline.results.claim_judgement import judge_claim
from pipeline.stages.claims import correct_multiple_tests
from pipeline.study.claim import claim_text
from robustinfo.maths.statistics import fraction_interval, holm
from tests.made_results import RATES, WHERE, alone, claim, results

ACCURACY = {"stage": "attack", "quantity": "accuracy", "epoch": "last"}


@pytest.mark.parametrize("sentence", ["it is {vlaue:.2f}", "it is {}", "it is {value:.2q}", "{"])
def test_a_sentence_with_an_unknown_place_is_refused_before_the_study_runs(sentence):
    with pytest.raises(ValidationError, match=r"takes \{value\}, \{low\} and \{high\}"):
        claim(says={"supported": sentence})


def test_a_control_of_the_studys_own_is_what_it_says_and_no_papers():
    own = claim(paper="", claim="", tested="longer training does not do it")
    assert claim_text(own) == "longer training does not do it"


@pytest.mark.parametrize(
    "given, problem",
    [
        ({"paper": "", "claim": ""}, "says in `tested` what it controls"),
        ({"paper": "", "tested": "it holds"}, "come together"),
        ({"claim": "", "tested": "it holds"}, "come together"),
    ],
)
def test_a_claim_is_a_papers_or_says_what_it_controls(given, problem):
    with pytest.raises(ValidationError, match=problem):
        claim(**given)


@pytest.mark.parametrize(
    ("expect", "threshold", "judgement"),
    [
        ("below", 0.0, "supported"),
        ("above", 0.0, "not supported"),
        ("below", -0.38, "undecided"),
        ("above", -0.9, "supported"),
    ],
)
def test_a_claim_is_decided_where_the_whole_interval_lies_on_one_side(expect, threshold, judgement):
    found = alone(results(**RATES), claim(expect, threshold))
    assert found["value"] == pytest.approx(-0.38) and found["scope"] == "method"
    assert (found["low"] > threshold or found["high"] < threshold) == (found["p"] < 0.05)
    assert found["judgement"] == judgement
    assert (found["reason"] == "") == (judgement != "undecided")


def test_two_seeds_that_agree_exactly_decide_no_margin_that_their_images_cannot_see():
    """Half a point on 450 images, of which neither network changes a single one."""
    same = {"attack_success_rate": {"standard": (0.96, 0.96), "entropic": (0.96, 0.96)}}
    found = alone(results(n=450, **same), claim("above", -0.005))
    assert found["value"] == 0 and found["judgement"] == "undecided"
    assert found["low"] < -0.005 and found["high"] > 0.005


def test_one_image_of_fifty_in_both_seeds_is_no_point_estimate_either():
    lost = {"attack_success_rate": {"standard": (0.9, 0.92), "entropic": (0.88, 0.9)}}
    found = alone(results(n=50, **lost), claim("above", -0.037))
    assert found["value"] == pytest.approx(-0.02) and found["judgement"] == "undecided"
    assert found["high"] - found["low"] > 0.1


def test_one_seed_decides_nothing_about_a_method_however_clear_it_is():
    table = results(**RATES)
    found = alone(table[table.seed == 0], claim())
    assert found["high"] < 0 and found["scope"] == "network"
    assert (found["judgement"], found["reason"]) == ("undecided", "one seed")
    assert math.isnan(found["p_holm"])


def test_of_equal_seeds_without_any_known_error_nothing_is_decided():
    table = results("", extra_weights={"entropic": (100.0, 100.0)})
    of = {"quantity": "extra_weights", "epoch": "last"}
    found = alone(table, claim("above", of=of, against=None))
    assert found["judgement"] == "undecided" and "no interval" in found["reason"]
    assert math.isnan(found["low"])


@pytest.mark.parametrize(
    ("values", "judgement"),
    [((1.0, 0.75), "supported"), ((0.75, 1.0), "not supported"), ((1.0, 1.0), "undecided")],
)
def test_a_toy_comes_out_exact(values, judgement):
    by_quantity = zip(("suppressed", "otherwise"), values, strict=True)
    table = results("exact", **{name: {"": (value,) * 2} for name, value in by_quantity})
    toy = table[table.stage == "attack"].assign(stage="toy", dataset="", model="", n=math.nan)
    of, against = ({"stage": "toy", "quantity": name} for name in ("suppressed", "otherwise"))
    found = alone(toy, claim("above", of=of, against=against))
    assert (found["scope"], found["judgement"]) == ("exact", judgement)
    assert found["low"] == found["high"] == values[0] - values[1]


def test_the_claims_of_a_study_are_corrected_together():
    asked = {name: claim() for name in ("a", "b", "c")}
    lines = [
        {"claim": name, "scope": "method", "uncorrected": "supported", "reason": ""}
        | {"p": p, "value": 1.0, "low": 0.5, "high": 1.5}
        for name, p in zip(asked, (0.001, 0.03, 0.04), strict=True)
    ]
    correct_multiple_tests(lines, asked)
    assert [one["p_holm"] for one in lines] == holm([0.001, 0.03, 0.04])
    assert [one["judgement"] for one in lines] == ["supported", "undecided", "undecided"]
    assert [one["uncorrected"] for one in lines] == ["supported"] * 3
    assert lines[1]["reason"] == "one of 3 claims (Holm)" and lines[0]["reason"] == ""


@pytest.mark.parametrize(
    "other",
    [
        {"scope": "exact", "p": 0.0},
        {"scope": "network"},
        {"uncorrected": "undertrained"},
        {"uncorrected": "confounded"},
    ],
)
def test_what_chance_cannot_decide_is_no_member_of_the_family(other):
    line = {"scope": "method", "uncorrected": "supported", "reason": "", "p": 0.03}
    line |= {"claim": "c", "value": 1.0, "low": 0.5, "high": 1.5}
    lines = [dict(line), line | other]
    correct_multiple_tests(lines, {"c": claim()})
    assert lines[0]["judgement"] == "supported" and lines[0]["p_holm"] == 0.03
    assert lines[1]["judgement"] == lines[1]["uncorrected"]


def test_a_claim_says_the_sentence_of_its_judgement_after_correction():
    says = {"undecided": "{value:.2f} is open", "supported": "yes"}
    asked = claim("above", 0.5, of=WHERE | {"defence": "entropic"}, against=None, says=says)
    assert alone(results(**RATES), asked)["sentence"] == "0.54 is open"


def test_where_there_is_nothing_that_a_claim_speaks_of_it_is_not_judged():
    assert judge_claim(results(**RATES), claim(of=WHERE | {"defence": "ib_rar"})) is None


def test_an_undertrained_network_decides_nothing():
    table = results(**RATES)
    weak = (table.entry == "clean") & (table.defence == "entropic") & (table.seed == 1)
    table.loc[weak, "value"] = 0.19  # below twice chance of ten classes
    found = alone(table, claim())
    assert found["judgement"] == "undertrained"
    assert found["reason"] == "entropic, seed 1: clean accuracy 0.19 is below 0.2"


@pytest.mark.parametrize("expect", ["above", "below"])
@pytest.mark.parametrize(
    ("clean", "threshold", "undertrained"),
    [(0.34, 0.3, True), (0.39, 0.3, True), (0.41, 0.3, False), (0.55, 0.5, True),
     (0.96, 0.9, False), (0.94, 0.9, True), (0.21, 0.05, False)],
)  # fmt: skip
def test_robust_accuracy_is_asked_only_of_networks_with_room_above_the_threshold(
    clean, threshold, undertrained, expect
):
    table = results(clean=clean, accuracy={"entropic": (0.01, 0.02)})
    asked = claim(expect, threshold, of=ACCURACY, against=None)
    assert (alone(table, asked)["judgement"] == "undertrained") == undertrained


def test_clean_accuracy_itself_needs_no_room_and_nor_does_a_difference():
    table = results(clean=0.91, accuracy={"entropic": (0.1, 0.2), "standard": (0.1, 0.1)})
    of_clean = {"stage": "diagnose", "entry": "clean", "quantity": "accuracy", "epoch": "last"}
    own = of_clean | {"defence": "entropic"}
    assert alone(table, claim("above", 0.9, of=own, against=None))["judgement"] == "undecided"
    pair = {"of": ACCURACY | {"defence": "entropic"}, "against": ACCURACY | {"defence": "standard"}}
    assert alone(table, claim("above", 0.9, **pair))["judgement"] != "undertrained"


def test_a_claim_about_one_value_holds_its_images():
    asked = claim("above", 0.5, of=WHERE | {"defence": "entropic"}, against=None)
    found = alone(results(**RATES), asked)
    wilson = fraction_interval(54, 100)
    assert found["low"] < wilson[0] and found["high"] > wilson[1]
    assert found["judgement"] == "undecided" and "standard" not in found["statistic"]


def test_every_line_has_every_column():
    table = pd.DataFrame([alone(results(**RATES), claim())])
    assert {"scope", "n", "seeds", "p", "p_holm", "uncorrected", "reason"} <= {*table.columns}
    assert (table.n[0], table.seeds[0]) == (100, 2)
