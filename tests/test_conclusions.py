"""Tables, intervals and claims on results whose answer is known."""

import math
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.stats import spearmanr

from pipeline import rows
from pipeline.claim import Claim
from pipeline.claims import judged
from pipeline.statistics import chosen, over_seeds, with_wilson
from pipeline.strict_yaml import StudyError
from pipeline.tables import Target, tabulate
from robustinfo.maths.intervals import student, wilson


def results(**values):
    """Rows of two seeds: {quantity: {defence: (seed 0, seed 1)}}, each of 100 images."""
    found = [
        {
            "dataset": "mnist", "model": "lenet5", "defence": defence, "seed": seed,
            "stage": "attack", "entry": "fgsm", "input": "", "epoch": epoch, "layer": "",
            "level": math.nan, "quantity": quantity, "value": value, "n": 100,
            "ceiling": math.nan, "saturated": "", "low": math.nan, "high": math.nan,
        }
        for quantity, defences in values.items()
        for defence, pair in defences.items()
        for seed, value in enumerate(pair)
        for epoch in (0, 4)
    ]  # fmt: skip
    classes = {**found[0], "stage": "data", "quantity": "classes", "value": 10, "n": math.nan}
    clean = [
        {**row, "stage": "diagnose", "entry": "clean", "quantity": "accuracy", "value": 0.9}
        for row in found
    ]
    return with_wilson(pd.DataFrame([classes, *clean, *found]))


RATES = {"attack_success_rate": {"standard": (0.9, 0.94), "entropic": (0.5, 0.58)}}
WHERE = {"stage": "attack", "quantity": "attack_success_rate", "epoch": "last"}


def test_a_fraction_spans_from_the_lowest_to_the_highest_wilson_interval():
    found = over_seeds(chosen(results(**RATES), WHERE | {"defence": "standard"}))
    assert found["ours"] == pytest.approx(0.92)
    assert (found["low"], found["high"]) == (wilson(0.9, 100)[0], wilson(0.94, 100)[1])
    assert found["n"] == 100


def test_anything_else_gets_students_interval_over_the_seeds():
    table = results(network_entropy={"standard": (1.0, 3.0)})
    found = over_seeds(chosen(table, {"quantity": "network_entropy", "epoch": "last"}))
    assert (found["low"], found["high"]) == student([1.0, 3.0])


def test_the_first_and_the_last_epoch_are_those_of_each_run():
    table = results(**RATES)
    table.loc[(table.defence == "entropic") & (table.epoch == 4), "epoch"] = 12
    last = chosen(table, WHERE)
    assert set(zip(last.defence, last.epoch, strict=True)) == {("standard", 4), ("entropic", 12)}
    assert set(chosen(table, WHERE | {"epoch": "first"}).epoch) == {0}


def target(**more):
    base = {"title": "t", "rows": ["defence"], "columns": ["entry"], "where": WHERE}
    return Target(**base | more)


def test_a_table_puts_the_papers_value_beside_ours_and_leaves_blank_what_it_does_not_print():
    paper = {
        "file": "entropic-retraining",
        "key": "attack_success_rate|{dataset}/{model}|{defence}|{entry}",
        "scale": 0.01,
        "names": {"standard": "original"},
        "smaller": "one epoch of 200",
    }
    rates = RATES["attack_success_rate"] | {"adversarial": (0.1, 0.1)}
    table = tabulate(
        results(attack_success_rate=rates), target(paper=paper), Path("studies/references")
    )
    assert list(table.columns) == [
        "row", "column", "paper", "ours", "low", "high", "n", "difference", "saturated", "smaller",
    ]  # fmt: skip
    by_row = table.set_index("row")
    assert by_row.loc["standard", "paper"] == pytest.approx(0.7956)  # table III, LeNet-5, FGSM
    assert by_row.loc["entropic", "paper"] == pytest.approx(0.0295)  # table IV
    assert by_row.loc["entropic", "difference"] == pytest.approx(0.54 - 0.0295)
    assert by_row.loc["entropic", "smaller"] == "one epoch of 200"
    assert pd.isna(by_row.loc["adversarial", "paper"])
    assert by_row.loc["adversarial", "smaller"] == ""


def test_a_target_that_selects_nothing_is_an_error_that_says_what_it_asked_for():
    with pytest.raises(StudyError, match=r"'t' selects no result.*'pdg'"):
        tabulate(results(**RATES), target(where=WHERE | {"entry": "pdg"}), Path())


def test_a_cell_that_would_average_over_several_things_is_an_error():
    table = results(**RATES)
    other = table.assign(entry="bim")
    both = pd.concat([table, other], ignore_index=True)
    with pytest.raises(StudyError, match=r"the cell standard .* holds several entry"):
        tabulate(both, target(columns=["quantity"]), Path())


def claim(expect="below", threshold=0.0, **more):
    of, against = (WHERE | {"defence": d} for d in ("entropic", "standard"))
    base = {"paper": "entropic-retraining", "claim": "er_resists", "of": of, "against": against}
    return Claim(**base | {"expect": expect, "threshold": threshold} | more)


@pytest.mark.parametrize("sentence", ["it is {vlaue:.2f}", "it is {}", "it is {value:.2q}", "{"])
def test_a_sentence_with_an_unknown_place_is_refused_before_the_study_runs(sentence):
    with pytest.raises(ValidationError, match=r"takes \{value\}, \{low\} and \{high\}"):
        claim(says={"supported": sentence})


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
    found = judged(results(**RATES), claim(expect, threshold))
    assert found["value"] == pytest.approx(-0.38)
    low, high = student([-0.4, -0.36])
    assert (found["low"], found["high"]) == (pytest.approx(low), pytest.approx(high))
    assert found["judgement"] == judgement


def test_one_seed_decides_nothing():
    table = results(**RATES)
    assert judged(table[table.seed == 0], claim())["judgement"] == "undecided"


def test_the_worst_group_speaks_for_all():
    table = results(**RATES)
    other = table[table.stage == "attack"].assign(entry="bim")
    other.loc[other.defence == "entropic", "value"] = 0.99
    found = judged(pd.concat([table, other]), claim(worst_over="entry"))
    assert found["value"] == pytest.approx(((0.99 - 0.9) + (0.99 - 0.94)) / 2)
    assert found["judgement"] == "undecided"


def over_epochs(one, other):
    """Five epochs of two seeds: E_N as given, and the success rate that goes with it."""
    table = results(network_entropy={"entropic": (0, 0)}, attack_success_rate={"entropic": (0, 0)})
    kept = table[(table.quantity == "classes") | (table.entry == "clean")]
    row = table[table.stage == "attack"].iloc[0].to_dict()
    found = [
        row | {"seed": seed, "epoch": epoch, "quantity": quantity, "value": value}
        for quantity, series in (("network_entropy", one), ("attack_success_rate", other))
        for seed, values in enumerate(series)
        for epoch, value in enumerate(values)
    ]
    return pd.concat([kept, pd.DataFrame(found)], ignore_index=True)


def follows(threshold=0.7):
    where = {"defence": "entropic", "stage": "attack"}
    return claim(
        "above", threshold, statistic="correlation",
        of=where | {"quantity": "network_entropy"},
        against=where | {"quantity": "attack_success_rate"},
    )  # fmt: skip


def series(**values):
    """Rows of one quantity per epoch: {layer: {seed: values}}."""
    base = results(**RATES)
    line = base[base.stage == "attack"].iloc[0].to_dict() | {"stage": "measure", "low": math.nan}
    found = [
        line | {"layer": layer, "seed": seed, "epoch": epoch, "quantity": "bits", "value": value}
        for layer, seeds in values.items()
        for seed, over_epochs in enumerate(seeds)
        for epoch, value in enumerate(over_epochs)
    ]
    return pd.concat([base, pd.DataFrame(found)], ignore_index=True)


OF_LAYERS = {"of": {"quantity": "bits", "stage": "measure"}, "against": None}


def test_a_fall_is_how_far_a_series_ends_below_its_greatest_value():
    table = series(fc=[[0.0, 3.0, 2.5], [1.0, 2.0, 2.0]])
    assert judged(table, claim(comes_to="fall", **OF_LAYERS))["value"] == pytest.approx(0.25)


def test_a_half_rise_is_the_first_epoch_half_way_to_the_greatest_value():
    table = series(fc=[[1.0, 1.9, 2.0, 3.0], [1.0, 3.0, 2.0, 2.0]])
    assert judged(table, claim(comes_to="half_rise", **OF_LAYERS))["value"] == (2 + 1) / 2


def test_the_worst_group_of_each_seed_decides():
    table = series(conv=[[0.0, 2.0, 1.0], [0.0, 2.0, 2.0]], fc=[[0.0, 1.0, 1.0], [0.0, 3.0, 1.0]])
    worst = claim("below", comes_to="fall", worst_over="layer", **OF_LAYERS)
    assert judged(table, worst)["value"] == (1.0 + 2.0) / 2  # conv of seed 0, fc of seed 1


def test_a_correlation_can_be_asked_of_every_group():
    up, down = [1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0, 5.0, 4.0]
    table = series(conv=[up, up], fc=[up, down])
    other = table[table.stage == "measure"].assign(quantity="nats")
    other["value"] = other.epoch.astype(float)
    own = {"statistic": "correlation", "of": OF_LAYERS["of"], "against": {"quantity": "nats"}}
    found = judged(pd.concat([table, other]), claim("above", 0.8, worst_over="layer", **own))
    assert found["value"] == pytest.approx((1.0 + 0.9) / 2)
    assert found["low"] >= -1 and found["high"] == 1  # Student's interval would go beyond


@pytest.mark.parametrize(
    ("full", "share", "judgement"), [(3.0, 1 / 4, "supported"), (1.0, 3 / 4, "saturated")]
)
def test_where_most_values_sit_at_their_ceiling_nothing_is_decided(full, share, judgement):
    table = series(fc=[[0.5, 3.0, 2.5, 1.0]] * 2)
    at_ceiling = (table.quantity == "bits") & (table.value >= full)
    table.loc[at_ceiling, "saturated"] = "True"
    found = judged(table, claim("above", 0.5, **OF_LAYERS))
    assert (found["saturated"], found["judgement"]) == (share, judgement)


def test_a_ratio_is_taken_seed_by_seed():
    table = over_epochs([(4.0,), (6.0,)], [(2.0,), (1.0,)])
    series = follows()
    found = judged(table, claim("above", of=series.of, against=series.against, statistic="ratio"))
    assert found["value"] == pytest.approx((2 + 6) / 2) and " / " in found["statistic"]


def test_a_rank_correlation_is_taken_over_the_epochs_of_each_seed():
    table = over_epochs([(5, 4, 3, 2, 1), (5, 4, 3, 2, 1)], [(0.9, 0.8, 0.3, 0.2, 0.1)] * 2)
    found = judged(table, follows())
    assert found["value"] == pytest.approx(1) and found["judgement"] == "supported"
    turned = over_epochs([(1, 2, 3, 4, 5)] * 2, [(0.9, 0.8, 0.3, 0.2, 0.1)] * 2)
    assert judged(turned, follows())["judgement"] == "not supported"


def test_its_value_is_scipys_and_its_interval_students_within_what_a_correlation_can_be():
    one = [(5, 4, 3, 2, 1), (1, 2, 5, 4, 3)]
    other = [(0.5, 0.6, 0.3, 0.1, 0.2), (0.1, 0.2, 0.3, 0.4, 0.5)]
    expected = [spearmanr(a, b).statistic for a, b in zip(one, other, strict=True)]
    found = judged(over_epochs(one, other), follows())
    assert found["value"] == pytest.approx(sum(expected) / 2)
    low, high = student(expected)
    assert (found["low"], found["high"]) == pytest.approx((max(low, -1), min(high, 1)))


def test_four_epochs_correlate_with_nothing():
    table = over_epochs([(5, 4, 3, 2)] * 2, [(0.9, 0.8, 0.3, 0.2)] * 2)
    assert judged(table, follows())["judgement"] == "undecided"


def test_a_constant_series_correlates_with_nothing_and_decides_nothing():
    found = judged(over_epochs([(5, 4, 3, 2, 1)] * 2, [(1.0,) * 5] * 2), follows())
    assert math.isnan(found["value"]) and found["judgement"] == "undecided"


def test_an_undertrained_network_decides_nothing():
    table = results(**RATES)
    weak = (table.entry == "clean") & (table.defence == "entropic") & (table.seed == 1)
    table.loc[weak, "value"] = 0.19  # below twice chance of ten classes
    assert judged(table, claim())["judgement"] == "undertrained"


def test_rows_survive_their_file(tmp_path):
    line = {"stage": "distort", "entry": "jpeg", "level": 20, "quantity": "accuracy", "value": 0.1}
    train = {"stage": "train", "value": 1 / 3, "ceiling": math.nan}
    rows.write(tmp_path / "a.csv", [line | {"n": 7}, train, {"stage": "train", "value": math.nan}])
    table = rows.read(tmp_path / "a.csv")
    assert table.value.tolist()[:2] == [0.1, 1 / 3] and table.entry.tolist() == ["jpeg", "", ""]
    assert math.isnan(table.value[2])
    assert table.level[0] == 20 and math.isnan(table.level[1])


def test_a_claim_about_one_value_spans_the_intervals_that_its_values_have():
    found = judged(results(**RATES), claim("above", 0.5, against=None))
    assert found["value"] == pytest.approx(0.54)
    assert (found["low"], found["high"]) == (wilson(0.5, 100)[0], wilson(0.58, 100)[1])
    assert found["judgement"] == "undecided" and "standard" not in found["statistic"]


def test_a_claim_about_a_value_without_interval_gets_students():
    table = results(extra_weights={"entropic": (100.0, 120.0)})
    asked = claim("above", of={"quantity": "extra_weights", "epoch": "last"}, against=None)
    found = judged(table, asked)
    assert (found["low"], found["high"]) == pytest.approx(student([100.0, 120.0]))


def test_the_interval_of_one_value_is_that_of_the_worst_group_of_each_seed():
    table = results(**RATES)
    other = table[table.stage == "attack"].assign(entry="bim")
    other = with_wilson(other.assign(value=other.value - 0.3, low=math.nan, high=math.nan))
    asked = claim("above", 0.5, against=None, worst_over="entry")
    found = judged(pd.concat([table, other], ignore_index=True), asked)
    assert found["value"] == pytest.approx(0.24) and found["judgement"] == "not supported"
    assert (found["low"], found["high"]) == (wilson(0.2, 100)[0], wilson(0.28, 100)[1])


def test_a_claim_says_the_sentence_of_its_judgement():
    says = {"undecided": "{value:.2f} is open", "supported": "yes"}
    found = judged(results(**RATES), claim("above", 0.5, against=None, says=says))
    assert found["sentence"] == "0.54 is open"


def test_where_there_is_nothing_that_a_claim_speaks_of_it_is_not_judged():
    assert judged(results(**RATES), claim(of=WHERE | {"defence": "ib_rar"})) is None


def test_a_toy_without_networks_is_judged_and_never_undertrained():
    table = results(**RATES)
    toy = table[table.stage == "attack"].assign(stage="toy", dataset="", model="", defence="")
    found = judged(toy.assign(value=1.0), claim("above", of={"stage": "toy"}, against=None))
    assert found["judgement"] == "supported"


def test_an_interval_of_its_own_is_kept_and_spans_the_seeds():
    table = results(weights_needed={"standard": (100.0, 120.0)})
    table = table[(table.quantity == "weights_needed") & (table.epoch == 0)]
    table = table.assign(low=[90.0, 115.0], high=[130.0, 125.0])
    kept = with_wilson(table.copy())
    assert kept.low.tolist() == [90.0, 115.0]
    found = over_seeds(kept)
    assert (found["ours"], found["low"], found["high"]) == (110.0, 90.0, 130.0)
