"""Claims about series, correlations, ratios and the worst of several groups."""

import math

import pandas as pd
import pytest
from scipy.stats import spearmanr

from pipeline.results.claim_judgement import judge_claim
from pipeline.results.statistics import with_intervals
from tests.made_results import OF_LAYERS, RATES, WHERE, claim, results, series


def test_a_fall_is_how_far_a_series_ends_below_its_greatest_value():
    table = series(fc=[[0.0, 3.0, 2.5], [1.0, 2.0, 2.0]])
    found = judge_claim(table, claim(comes_to="fall", **OF_LAYERS))
    assert found["value"] == pytest.approx(0.25) and found["scope"] == "training"


def test_a_half_rise_is_the_first_epoch_half_way_to_the_greatest_value():
    table = series(fc=[[1.0, 1.9, 2.0, 3.0], [1.0, 3.0, 2.0, 2.0]])
    assert judge_claim(table, claim(comes_to="half_rise", **OF_LAYERS))["value"] == (2 + 1) / 2


@pytest.mark.parametrize("comes_to", ["fall", "half_rise"])
@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_series_with_a_gap_comes_to_nothing_and_neither_does_the_claim(comes_to, epoch):
    whole, gap = [1.0, 3.0, 2.5], [1.0, 2.0, 1.5]
    gap[epoch] = math.nan
    table = series(fc=[whole, whole, gap])
    found = judge_claim(table, claim("above", -1.0, comes_to=comes_to, **OF_LAYERS))
    assert math.isnan(found["low"]) and found["uncorrected"] == "undecided"


def test_two_seeds_that_rise_at_the_same_epoch_decide_nothing_by_that():
    table = series(fc=[[1.0, 3.0, 3.0]] * 2)
    found = judge_claim(table, claim("above", 0.5, comes_to="half_rise", **OF_LAYERS))
    assert found["value"] == 1 and math.isnan(found["low"]) and found["uncorrected"] == "undecided"


def test_a_series_of_exact_values_falls_exactly():
    table = series("exact", fc=[[1.0, 3.0, 2.5]] * 2)
    found = judge_claim(table, claim("above", 0.4, comes_to="fall", **OF_LAYERS))
    assert (found["scope"], found["uncorrected"], found["low"]) == ("exact", "supported", 0.5)


def follows(threshold=0.7, **more):
    where = {"defence": "entropic", "stage": "attack"}
    return claim(
        "above", threshold, statistic="correlation",
        of=where | {"quantity": "network_entropy"},
        against=where | {"quantity": "attack_success_rate"}, **more,
    )  # fmt: skip


def over_epochs(one, other):
    """Epochs of two seeds: E_N as given, and the success rate that goes with it."""
    table = results(network_entropy={"entropic": (0, 0)}, attack_success_rate={"entropic": (0, 0)})
    kept = table[(table.quantity == "classes") | (table.entry == "clean")]
    row = table[table.stage == "attack"].iloc[0].to_dict() | {"interval": ""}
    found = [
        row | {"seed": seed, "epoch": epoch, "quantity": quantity, "value": value}
        for quantity, series in (("network_entropy", one), ("attack_success_rate", other))
        for seed, values in enumerate(series)
        for epoch, value in enumerate(values)
    ]
    return pd.concat([kept, pd.DataFrame(found)], ignore_index=True)


@pytest.mark.parametrize(("way", "judgement"), [(1, "supported"), (-1, "not supported")])
def test_a_rank_correlation_is_taken_over_the_epochs_of_each_seed(way, judgement):
    epochs = range(12)
    table = over_epochs([[way * e for e in epochs]] * 2, [[e / 12 for e in epochs]] * 2)
    found = judge_claim(table, follows())
    assert found["value"] == pytest.approx(way) and found["uncorrected"] == judgement


def test_five_epochs_that_agree_in_both_seeds_are_too_few_for_a_strong_correlation():
    table = over_epochs([(5, 4, 3, 2, 1)] * 2, [(0.9, 0.8, 0.3, 0.2, 0.1)] * 2)
    found = judge_claim(table, follows())
    assert found["value"] == pytest.approx(1) and found["uncorrected"] == "undecided"
    assert -1 <= found["low"] < 0.7 and found["high"] == pytest.approx(1)


def test_its_value_is_scipys_and_its_interval_within_what_a_correlation_can_be():
    one = [(5, 4, 3, 2, 1), (1, 2, 5, 4, 3)]
    other = [(0.5, 0.6, 0.3, 0.1, 0.2), (0.1, 0.2, 0.3, 0.4, 0.5)]
    expected = [spearmanr(a, b).statistic for a, b in zip(one, other, strict=True)]
    found = judge_claim(over_epochs(one, other), follows())
    assert found["value"] == pytest.approx(sum(expected) / 2)
    assert -1 <= found["low"] < found["value"] and found["high"] == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [((5, 4, 3, 2), (0.9, 0.8, 0.3, 0.2)), ((5, 4, 3, 2, 1), (1.0,) * 5)],
    ids=["four epochs", "a constant series"],
)
def test_what_has_no_correlation_decides_nothing(one, other):
    found = judge_claim(over_epochs([one] * 2, [other] * 2), follows())
    assert math.isnan(found["value"]) and math.isnan(found["p"])
    assert found["uncorrected"] == "undecided"


def test_a_correlation_can_be_asked_of_every_group():
    up, down = [1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0, 5.0, 4.0]
    table = series(conv=[up, up], fc=[down, down])
    other = table[table.stage == "measure"].assign(quantity="nats")
    other["value"] = other.epoch.astype(float)
    own = {"statistic": "correlation", "of": OF_LAYERS["of"], "against": {"quantity": "nats"}}
    found = judge_claim(pd.concat([table, other]), claim("above", 0.8, worst_over="layer", **own))
    assert found["value"] == pytest.approx(0.9) and found["low"] >= -1 and found["high"] <= 1


@pytest.mark.parametrize(
    ("full", "share", "judgement"), [(3.0, 1 / 4, "supported"), (1.0, 3 / 4, "saturated")]
)
def test_where_most_values_sit_at_their_ceiling_nothing_is_decided(full, share, judgement):
    table = series(fc=[[0.5, 3.0, 2.5, 1.0], [0.5, 3.01, 2.5, 1.0]])
    at_ceiling = (table.quantity == "bits") & (table.value >= full)
    table.loc[at_ceiling, "saturated"] = "True"
    found = judge_claim(table, claim("above", 0.5, **OF_LAYERS))
    assert (found["saturated"], found["uncorrected"]) == (share, judgement)


def test_a_ratio_is_taken_seed_by_seed():
    table = over_epochs([(4.0,), (6.0,)], [(2.0,), (1.0,)])
    own = follows()
    found = judge_claim(table, claim("above", of=own.of, against=own.against, statistic="ratio"))
    assert found["value"] == pytest.approx((2 + 6) / 2) and " / " in found["statistic"]


def test_a_ratio_by_nothing_has_no_value():
    table = over_epochs([(4.0,), (6.0,)], [(2.0,), (0.0,)])
    own = follows()
    found = judge_claim(table, claim("above", of=own.of, against=own.against, statistic="ratio"))
    assert math.isnan(found["value"]) and found["uncorrected"] == "undecided"


def with_bim(**rates):
    """FGSM as in RATES, and BIM with rates of its own."""
    table = results(**RATES)
    other = results(attack_success_rate=rates)
    other = other[other.stage == "attack"].assign(entry="bim")
    return with_intervals(pd.concat([table, other], ignore_index=True))


def test_all_groups_must_show_it():
    table = with_bim(standard=(0.9, 0.94), entropic=(0.99, 0.97))
    found = judge_claim(table, claim(worst_over="entry"))
    assert found["value"] == pytest.approx(((0.99 - 0.9) + (0.97 - 0.94)) / 2)
    assert found["uncorrected"] == "undecided" and found["low"] < 0 < found["high"]


def test_a_claim_that_holds_of_every_group_is_supported_without_a_correction_for_their_number():
    table = with_bim(standard=(0.9, 0.94), entropic=(0.52, 0.56))
    found = judge_claim(table, claim(worst_over="entry"))
    by_entry = [
        judge_claim(table, claim(of=WHERE | {"defence": "entropic", "entry": entry},
                            against=WHERE | {"defence": "standard", "entry": entry}))
        for entry in ("fgsm", "bim")
    ]  # fmt: skip
    assert found["uncorrected"] == "supported"
    assert found["high"] == pytest.approx(max(one["high"] for one in by_entry))
    assert found["low"] <= max(one["low"] for one in by_entry)


def test_a_group_without_its_counterpart_is_not_passed_over():
    """The other groups show it; what the missing one would show is not known."""
    table = with_bim(entropic=(0.1, 0.1))
    found = judge_claim(table, claim("below", worst_over="entry"))
    assert found["uncorrected"] == "undecided"


def test_groups_that_only_one_side_has_say_nothing():
    table = with_bim(standard=(0.9, 0.94))
    only_bim = {"of": WHERE | {"defence": "entropic", "entry": "fgsm"}}
    against = WHERE | {"defence": "standard", "entry": "bim"}
    found = judge_claim(table, claim(worst_over="entry", against=against, **only_bim))
    assert math.isnan(found["value"]) and found["uncorrected"] == "undecided"
