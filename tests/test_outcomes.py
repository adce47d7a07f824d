"""Claims about fractions whose images are known one by one."""

import numpy as np
import pandas as pd
import pytest

from pipeline.results.claim_judgement import judge_claim
from pipeline.results.outcomes import outcomes_by_image
from pipeline.results.statistics import select_rows
from robustinfo.maths.statistics import over_images
from tests.made_results import claim, results

N = 400
RNG = np.random.default_rng(0)
HARD = RNG.random(N) < 0.5
# The defence stands wherever the twin does, and on 12 images more.
TWIN = np.array([HARD, HARD])
OWN = TWIN | (np.arange(N) < 24)
ROBUST = {"stage": "diagnose", "entry": "union", "quantity": "robust_accuracy", "epoch": "last"}
PAIR = {"of": ROBUST | {"defence": "entropic"}, "against": ROBUST | {"defence": "standard"}}


def both(entry="union", quantity="robust_accuracy"):
    """The rows, and the outcomes behind them: what falls, falls in l2 alone."""
    by_defence = {"standard": TWIN, "entropic": OWN}
    shares = {defence: tuple(rows.mean(1)) for defence, rows in by_defence.items()}
    table = results(n=N, **{quantity: shares})
    own = (table.quantity == quantity) & (table.stage == "attack")
    table.loc[own, ["stage", "entry"]] = ["diagnose", entry]
    lines = [
        {"defence": defence, "seed": seed, "entry": name, "index": index}
        | {"correct": int(right or name == "linf")}
        for defence, rows in by_defence.items()
        for name in ("clean", "pgd", "linf", "l2", "union")
        for seed, row in enumerate(rows)
        for index, right in enumerate(row)
    ]
    return table, pd.DataFrame(lines)


def test_a_difference_is_paired_image_by_image_where_outcomes_are_known():
    table, outcomes = both()
    found = judge_claim(table, claim("above", 0.0, **PAIR), outcomes)
    assert (found["low"], found["high"]) == pytest.approx(over_images(OWN, TWIN).interval)
    assert found["uncorrected"] == "supported"
    assert judge_claim(table, claim("above", 0.0, **PAIR))["uncorrected"] == "undecided"


def test_one_value_is_estimated_by_its_images_too():
    table, outcomes = both()
    found = judge_claim(table, claim("above", 0.3, of=PAIR["of"], against=None), outcomes)
    assert (found["low"], found["high"]) == pytest.approx(over_images(OWN).interval)


@pytest.mark.parametrize(
    "entry, quantity",
    [
        ("union", "robust_accuracy"),
        ("l2", "robust_accuracy"),
        ("pgd", "accuracy"),
    ],
)
def test_outcomes_are_known_under_each_attack_and_under_all_of_a_norm_or_of_every_norm(
    entry, quantity
):
    table, outcomes = both(entry, quantity)
    where = {"entry": entry, "defence": "entropic", "epoch": "last", "quantity": quantity}
    rows = select_rows(table, where)
    assert (outcomes_by_image(outcomes, rows).to_numpy() == OWN).all()
    # There, all images are robust.
    assert outcomes_by_image(outcomes, rows.assign(entry="linf")) is None
    whole = rows.assign(entry="linf", value=1.0)
    assert outcomes_by_image(outcomes, whole).to_numpy().all()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows, outcomes: (rows.assign(value=rows.value - 0.01), outcomes),
        lambda rows, outcomes: (rows, outcomes[outcomes.entry == "linf"]),
        lambda rows, outcomes: (rows, outcomes[outcomes.seed == 0]),
        lambda rows, outcomes: (
            rows,
            outcomes.drop(outcomes[outcomes.entry == "union"].index[-1]),
        ),
        lambda rows, outcomes: (pd.concat([rows, rows]), outcomes),
        lambda rows, outcomes: (rows.assign(stage="transfer", quantity="accuracy"), outcomes),
        lambda rows, outcomes: (rows.assign(quantity="never_rises_fraction"), outcomes),
    ],
)
def test_outcomes_that_are_not_those_of_the_fraction_are_not_taken(spoil):
    table, outcomes = both()
    rows = select_rows(table, PAIR["of"])
    assert outcomes_by_image(outcomes, rows) is not None
    rows, outcomes = spoil(rows, outcomes)
    assert outcomes_by_image(outcomes, rows) is None
