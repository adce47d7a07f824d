"""Tables and the estimates in their cells, on results whose answer is known."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.results import rows
from pipeline.results.statistics import compare, estimate, over_seeds, select_rows, with_intervals
from pipeline.results.tables import tabulate
from pipeline.study.strict_yaml import StudyError
from pipeline.study.target import Target
from robustinfo.maths.statistics import fraction_interval, images, student
from robustinfo.maths.statistics import over_seeds as combined
from tests.made_results import RATES, WHERE, N, results

# What a table reads of a study, to say in what it is smaller than the paper.
STUDY = {
    "seeds": [0, 1],
    "datasets": {"mnist": {"method": "mnist"}},
    "models": {"lenet5": {"method": "lenet5"}},
    "training_images": {"per": {"mnist": None}},
    "validation_share": 0.0,
    "evaluation_images": None,
    "defences": {one: {"method": "standard"} for one in ("standard", "adversarial", "entropic")},
    "pretrain": {"standard": {"epochs": {"per": {"mnist/lenet5": 20}}}},
    "retrain": {"adversarial": {"epochs": 200}, "entropic": {"epochs": 1}},
    "train_selected": {},
    "stop_early": [],
    "attacks": {},
    "diagnostics": {},
}


def of(defence, quantity="attack_success_rate"):
    return WHERE | {"defence": defence, "quantity": quantity}


def test_fractions_are_put_together_over_seeds_and_images():
    found = over_seeds(select_rows(results(**RATES), of("standard")))
    expected = combined([0.9, 0.94], images.from_fractions([0.9, 0.94], N)).clipped(0, 1).interval
    assert found["ours"] == pytest.approx(0.92)
    assert (found["low"], found["high"]) == pytest.approx(expected)
    assert (found["n"], found["seeds"], found["scope"]) == (N, 2, "method")


def test_one_seed_is_its_network_alone_with_its_images_interval():
    table = results(**RATES)
    found = over_seeds(select_rows(table[table.seed == 0], of("standard")))
    assert found["scope"] == "network" and found["seeds"] == 1
    assert (found["low"], found["high"]) == pytest.approx(fraction_interval(90, N))


def test_what_states_nothing_of_its_error_gets_students_over_its_trainings():
    table = results("", network_entropy={"standard": (1.0, 3.0)})
    found = over_seeds(select_rows(table, of("standard", "network_entropy")))
    assert (found["low"], found["high"]) == pytest.approx(student([1.0, 3.0]))
    assert found["scope"] == "training"


@pytest.mark.parametrize("quantity", ["accuracy", "noise_only_rate", "zero_gradient_fraction"])
def test_no_name_makes_a_fraction_of_a_number_that_does_not_say_so(quantity):
    table = results("", **{quantity: {"standard": (0.5, 0.5)}})
    own = table[(table.quantity == quantity) & (table.stage == "attack")]
    assert own.low.isna().all()
    assert math.isnan(over_seeds(select_rows(own, {"epoch": "last"}))["low"])


def test_a_table_without_the_column_states_nothing():
    table = results(**RATES).drop(columns=["interval", "low", "high"])
    kept = with_intervals(table.assign(low=math.nan, high=math.nan))
    assert kept.low.isna().all()


def test_a_fraction_of_no_name_gets_wilsons_interval():
    table = results("fraction", survivors={"standard": (0.25, 0.5)})
    own = table[table.quantity == "survivors"]
    assert (own.low.iloc[0], own.high.iloc[0]) == fraction_interval(25, N)


def test_an_interval_of_its_own_is_kept_and_joined_by_the_spread_between_seeds():
    table = results("own", weights_needed={"standard": (100.0, 120.0)})
    table = table[(table.quantity == "weights_needed") & (table.epoch == 0)]
    kept = with_intervals(table.assign(low=[90.0, 115.0], high=[130.0, 125.0]))
    assert kept.low.tolist() == [90.0, 115.0]
    found = over_seeds(kept)
    expected = combined(
        [100.0, 120.0], images.from_intervals([100.0, 120.0], [90, 115], [130, 125])
    )
    assert (found["low"], found["high"]) == pytest.approx(expected.interval)


@pytest.mark.parametrize(("values", "scope"), [((0.75, 0.75), "exact"), ((0.7, 0.8), "method")])
def test_what_is_exact_is_exact_until_seeds_differ(values, scope):
    table = results("exact", accuracy_otherwise={"": values})
    found = over_seeds(select_rows(table, of("", "accuracy_otherwise")))
    assert found["scope"] == scope
    assert (found["low"] == found["high"] == 0.75) == (scope == "exact")


def test_a_fraction_against_an_exact_number_keeps_its_images():
    table = results(**RATES)
    one = select_rows(table, of("standard"))
    chance = one.assign(value=0.1, interval="exact", low=math.nan, high=math.nan)
    found = compare(one, chance, "difference")
    low, high = estimate(one).interval
    assert found.interval == pytest.approx((low - 0.1, high - 0.1)) and found.scope == "method"


def test_two_attacks_of_one_seed_are_means_over_the_same_images():
    table = results(**RATES)
    both = pd.concat([table, table.assign(entry="bim")])
    own = {"defence": "standard"}
    assert estimate(select_rows(both, WHERE | own)).interval == pytest.approx(
        estimate(select_rows(table, WHERE | own)).interval
    )


def test_a_seed_that_lost_its_value_leaves_no_interval_to_those_that_did_not():
    table = results(attack_success_rate={"standard": (0.9, 0.94, 0.92), "entropic": (0.1,) * 3})
    one, other = (select_rows(table, of(defence)) for defence in ("entropic", "standard"))
    assert not np.isnan(compare(one, other, "difference").interval).any()
    failed = other.assign(value=other.value.mask(other.seed == 2))
    for found in (estimate(failed), compare(one, failed, "difference")):
        assert np.isnan(found.interval).all() and found.seeds == 2


def test_exact_values_among_fractions_leave_them_their_images():
    """A mean of a fraction of 100 images and a constant has half of the fraction's error."""
    table = results(attack_success_rate={"standard": (0.9, 0.9)})
    one = select_rows(table, of("standard"))
    blank = one.assign(entry="none", value=0.9, interval="exact", low=math.nan, high=math.nan)
    found, alone = estimate(pd.concat([one, blank])), estimate(one)
    assert found.scope == "method"
    assert found.interval == pytest.approx([(0.9 + end) / 2 for end in alone.interval])


def test_seeds_that_only_one_side_has_are_not_compared():
    table = results(**RATES)
    one, other = (select_rows(table, of(defence)) for defence in ("entropic", "standard"))
    found = compare(one, other[other.seed == 0], "difference")
    assert found.value == pytest.approx(-0.4) and found.scope == "network"
    nothing = compare(one[one.seed == 1], other[other.seed == 0], "difference")
    assert math.isnan(nothing.value) and np.isnan(nothing.interval).all()


def test_the_first_and_the_last_epoch_are_those_of_each_run():
    table = results(**RATES)
    table.loc[(table.defence == "entropic") & (table.epoch == 4), "epoch"] = 12
    last = select_rows(table, WHERE)
    assert set(zip(last.defence, last.epoch, strict=True)) == {("standard", 4), ("entropic", 12)}
    assert set(select_rows(table, WHERE | {"epoch": "first"}).epoch) == {0}


def target(**more):
    base = {"title": "t", "rows": ["defence"], "columns": ["entry"], "where": WHERE}
    return Target(**base | more)


def test_a_table_puts_the_papers_value_beside_ours_and_leaves_blank_what_it_does_not_print():
    paper = {
        "file": "entropic-retraining",
        "key": "attack_success_rate|{dataset}/{model}|{defence}|{entry}",
        "scale": 0.01,
        "names": {"standard": "original"},
    }
    rates = RATES["attack_success_rate"] | {"adversarial": (0.1, 0.1)}
    table = tabulate(
        results(attack_success_rate=rates), target(paper=paper), Path("studies/references"), STUDY
    )
    assert list(table.columns) == [
        "row", "column", "paper", "ours", "low", "high", "unit", "scope", "n", "seeds", "by_seed",
        "difference", "saturated", "smaller_than_paper",
    ]  # fmt: skip
    by_row = table.set_index("row")
    assert by_row.loc["standard", "paper"] == pytest.approx(0.7956)  # table III, LeNet-5, FGSM
    assert by_row.loc["entropic", "paper"] == pytest.approx(0.0295)  # table IV
    assert by_row.loc["entropic", "difference"] == pytest.approx(0.54 - 0.0295)
    assert (
        by_row.loc["entropic", "smaller_than_paper"] == "1 of 200 epochs; 0.5 % of images x epochs"
    )
    assert (
        by_row.loc["standard", "smaller_than_paper"] == "20 of 24 epochs; 83 % of images x epochs"
    )
    assert pd.isna(by_row.loc["adversarial", "paper"])
    assert by_row.loc["adversarial", "smaller_than_paper"] == ""
    assert by_row.loc["adversarial", "low"] < 0.1 < by_row.loc["adversarial", "high"]


def test_a_target_that_selects_nothing_is_an_error_that_says_what_it_asked_for():
    with pytest.raises(StudyError, match=r"'t' selects no result.*'pdg'"):
        tabulate(results(**RATES), target(where=WHERE | {"entry": "pdg"}), Path(), STUDY)


def test_a_cell_that_would_average_over_several_things_is_an_error():
    table = results(**RATES)
    both = pd.concat([table, table.assign(entry="bim")], ignore_index=True)
    with pytest.raises(StudyError, match=r"the cell standard .* holds several entry"):
        tabulate(both, target(columns=["quantity"]), Path(), STUDY)


def test_rows_survive_their_file(tmp_path):
    line = {"stage": "distort", "entry": "jpeg", "level": 20, "quantity": "accuracy", "value": 0.1}
    train = {"stage": "train", "value": 1 / 3, "ceiling": math.nan}
    rows.write(tmp_path / "a.csv", [line | {"n": 7}, train, {"stage": "train", "value": math.nan}])
    table = rows.read(tmp_path / "a.csv")
    assert table.value.tolist()[:2] == [0.1, 1 / 3] and table.entry.tolist() == ["jpeg", "", ""]
    assert math.isnan(table.value[2])
    assert table.level[0] == 20 and math.isnan(table.level[1])
