"""The leaderboard, and what a study says of information and robustness."""

import json
import math

import pandas as pd
import pytest

from pipeline.results import information_vs_robustness, rows
from pipeline.results.statistics import with_intervals
from pipeline.stages import leaderboard
from pipeline.stages._latex import tex
from robustinfo.evaluation.checks import UNTRUSTED
from robustinfo.evaluation.threats import Threat
from robustinfo.maths.statistics import fraction_interval
from tests.jobs import default, made, settle

NAMES = {"dataset": "digits", "model": "lenet5"}
N = 100


def verdicts(*lines, norm="linf"):
    columns = ["dataset", "model", "defence", "verdict", "clean_accuracy", "robust_accuracy"]
    table = pd.DataFrame(lines, columns=columns)
    return table.assign(norm=norm, low=0.0, high=1.0, strongest_attack=f"{norm}_pgd")


def ranked(table):
    clean = {"attack": leaderboard.CLEAN, "low": 0.0, "high": 1.0}
    own = [line | clean for line in table[leaderboard.RUN].to_dict("records")]
    balls = table[[*leaderboard.SETTING, "norm"]].itertuples(index=False, name=None)
    return leaderboard.rank_defences(table, own, {ball: f"{ball[-1]} up to 1" for ball in balls})


def test_ranks_are_within_a_setting_and_equal_accuracies_share_one():
    board = ranked(
        verdicts(
            ("mnist", "lenet5", "a", "broken", 0.9, 0.1),
            ("mnist", "lenet5", "b", "no benefit", 0.9, 0.3),
            ("mnist", "lenet5", "c", "broken", 0.95, 0.1),
            ("cifar10", "vgg16", "a", "holds against what was tried", 0.8, 0.2),
        )
    )
    found = list(zip(board.dataset, board.defence, board["rank"], strict=True))
    assert found == [("mnist", "b", 1), ("mnist", "c", 2), ("mnist", "a", 2), ("cifar10", "a", 1)]


def test_each_norm_of_a_setting_has_its_own_ranks():
    lines = [
        ("mnist", "lenet5", "a", "broken", 0.9, 0.1),
        ("mnist", "lenet5", "b", "broken", 0.9, 0.3),
    ]
    other = [(*line[:-1], robust) for line, robust in zip(lines, (0.4, 0.0), strict=True)]
    board = ranked(pd.concat([verdicts(*lines), verdicts(*other, norm="l2")]))
    found = list(zip(board.norm, board.defence, board["rank"], board.protocol, strict=True))
    assert found == [
        ("linf", "b", 1, "linf up to 1"),
        ("linf", "a", 2, "linf up to 1"),
        ("l2", "a", 1, "l2 up to 1"),
        ("l2", "b", 2, "l2 up to 1"),
    ]


@pytest.mark.parametrize("verdict", UNTRUSTED)
def test_what_cannot_be_believed_has_no_rank_and_comes_last(verdict):
    board = ranked(verdicts(("d", "m", "a", verdict, 0.9, 0.9), ("d", "m", "b", "broken", 0.9, 0)))
    assert board.defence.tolist() == ["b", "a"]
    assert board["rank"].tolist() == [1, pd.NA]


def test_the_protocol_says_by_norm_what_counts():
    threats = {
        "pgd": Threat("iterated", "linf", 8 / 255),
        "half": Threat("iterated", "linf", 4 / 255),
        "l2": Threat("iterated", "l2", 0.5),
    }
    assert leaderboard.protocol(threats, "linf") == "linf up to 8/255: pgd, half"
    assert leaderboard.protocol(threats, "l2") == "l2 up to 0.5: l2"


def test_the_latex_table_has_booktabs_lines_and_escaped_names():
    text = tex(ranked(verdicts(("mnist", "lenet5", "pat_entm", "masked", 0.9, 0.125))))
    assert r"\toprule" in text and r"\bottomrule" in text
    line = r"-- & mnist & lenet5 & linf & pat\_entm & 90.0 (0.0 to 100.0) & 12.5 (0.0 to 100.0)"
    assert line + r" & linf\_pgd & masked \\" in text


def collected(robust, measured):
    """Rows of one setting: robust accuracy and a measure, by defence and seed."""
    found = []
    for defence in robust:
        pairs = zip(robust[defence], measured[defence], strict=True)
        for seed, (accuracy, value) in enumerate(pairs):
            own = NAMES | {"defence": defence, "seed": seed, "n": N}
            clean = {"stage": "diagnose", "entry": "clean", "quantity": "accuracy", "value": 0.9}
            worst = {"stage": "diagnose", "quantity": "robust_accuracy", "value": accuracy}
            worst = [worst | {"entry": "attacks"}, worst | {"entry": "linf"}]
            worst.append(worst[0] | {"entry": "l2", "value": 0.45})
            pgd = {"stage": "attack", "entry": "linf_pgd", "quantity": "accuracy", "value": 0.5}
            curve = {"stage": "diagnose", "entry": "epsilon_curve", "quantity": "attack_accuracy"}
            bits = {"stage": "measure", "entry": "kde", "input": "clean", "epoch": 3}
            bits["quantity"] = "information_input_bits_lower"
            layers = [bits | {"layer": "fc2", "value": value}, bits | {"layer": "fc3", "value": 0}]
            before = [bits | {"epoch": 1, "layer": "fc2", "value": 99.0}]
            swept = [curve | {"level": level, "value": 0.9 - level} for level in (0.0, 0.9)]
            fractions = [one | {"interval": "fraction"} for one in (clean, *worst, pgd, *swept)]
            found += [own | row for row in (*fractions, *layers, *before)]
    columns = ["dataset", "model", "defence", "seed", *rows.MEASURED_AT, *rows.VALUE]
    table = pd.DataFrame(found, columns=columns)
    text = [name for name in table if name not in rows.NUMBERS]
    table[text] = table[text].fillna("")
    return with_intervals(table.astype({"low": float, "high": float, "saturated": object}))


ROBUST = {"standard": [0.0, 0.1], "entropic": [0.3, 0.2]}
BITS = {"standard": [5.0, 4.0], "entropic": [1.0, 2.0]}
LENET5 = {"method": "lenet5"}


def test_a_point_is_the_last_epoch_of_the_last_hidden_layer_beside_robust_accuracy():
    points = information_vs_robustness.points(collected(ROBUST, BITS), LENET5)
    assert set(points.layer) == {"fc2"}
    assert points.value.tolist() == [5, 4, 1, 2]
    assert points.robust_accuracy.tolist() == [0.0, 0.1, 0.3, 0.2]


def test_what_was_transferred_counts_where_it_was():
    table = collected(ROBUST, BITS)
    worst = table[table.entry.eq("attacks") & table.defence.eq("entropic")]
    more = worst.assign(stage="transfer", value=[0.05, 0.15])
    found = information_vs_robustness.robust_rows(pd.concat([table, more], ignore_index=True))
    assert sorted(found.value) == [0.0, 0.05, 0.1, 0.15]


def correlated(robust, bits):
    points = information_vs_robustness.points(collected(robust, bits), LENET5)
    (line,) = information_vs_robustness.correlations(points).to_dict("records")
    return line


def test_runs_that_hold_less_and_resist_better_correlate_negatively():
    robust = {"a": [0.0, 0.1, 0.2, 0.3], "b": [0.4, 0.5, 0.6, 0.7]}
    line = correlated(robust, {"a": [8.0, 7, 6, 5], "b": [4, 3, 1, 2]})
    assert line["runs"] == 8 and line["correlation"] == pytest.approx(-1 + 12 / (8**3 - 8))
    assert line["high"] < 0 and line["says"] == "the more of it, the less robust"


def test_three_runs_say_nothing():
    line = correlated({"a": [0.0, 0.1, 0.2]}, {"a": [3.0, 2, 1]})
    assert line["says"] == "cannot be said of fewer than 4 runs" and math.isnan(line["correlation"])


def test_estimates_at_their_ceiling_say_nothing():
    table = collected({"a": [0.0, 0.1, 0.2, 0.3]}, {"a": [4.0, 3, 2, 1]})
    table.loc[table.quantity.str.startswith("information"), "saturated"] = "True"
    (line,) = information_vs_robustness.correlations(
        information_vs_robustness.points(table, LENET5)
    ).to_dict("records")
    assert "ceiling" in line["says"] and math.isnan(line["low"]) and line["saturated"] == 1


def test_several_settings_are_taken_together_and_one_by_one():
    points = information_vs_robustness.points(collected(ROBUST, BITS), LENET5)
    both = pd.concat([points, points.assign(dataset="mnist")])
    found = information_vs_robustness.correlations(both)
    assert found.dataset.tolist() == ["", "digits", "mnist"]
    assert found.runs.tolist() == [8, 4, 4]


@pytest.fixture
def job(tmp_path, monkeypatch):
    """The stage's job of the default study, on invented results."""
    study = default(toys={})
    settle(tmp_path, monkeypatch)
    job = made(study, "leaderboard")
    rows.write_table(job.file("results", **NAMES), collected(ROBUST, BITS))
    for file in job.paths("remedied"):
        rows.write(file, [])
    return job


def test_the_three_files_say_the_same_and_the_overview_has_every_accuracy(job):
    table = verdicts(
        ("digits", "lenet5", "standard", "broken", 0.9, 0.05),
        ("digits", "lenet5", "entropic", "no benefit", 0.9, 0.25),
    )
    rows.write_table(job.file("verdict"), table)
    leaderboard.run(job)
    board = rows.read(job.writes["leaderboard"])
    assert board.defence.tolist() == ["entropic", "standard"]
    assert (board.clean_low[0], board.clean_high[0]) == pytest.approx(fraction_interval(90, N))
    lines = json.loads(job.writes["leaderboard_json"].read_text())
    assert pd.DataFrame(lines)[[*board]].equals(board)
    assert job.writes["leaderboard_tex"].read_text().count("lenet5") == 2
    left = rows.read(job.writes["accuracy_by_attack"])
    assert list(left.attack.unique()) == ["clean", "linf_pgd", "all in linf", "all in l2"]
    worst = {norm: left[left.attack == f"all in {norm}"] for norm in ("linf", "l2")}
    robust = worst["linf"].set_index("defence").value.to_dict()
    assert robust == pytest.approx({"standard": 0.05, "entropic": 0.25})
    assert set(worst["l2"].value) == {0.45}
    curves = rows.read(job.writes["accuracy_by_epsilon"])
    assert set(curves.norm) == {"linf"} and curves.epsilon.tolist() == [0.0, 0.9] * 2


def test_without_a_threat_model_all_tables_are_there_and_empty(job):
    rows.write_table(job.file("verdict"), verdicts())
    leaderboard.run(job)
    for name in ("leaderboard", "accuracy_by_attack", "accuracy_by_epsilon", "correlations"):
        assert rows.read(job.writes[name]).empty
    assert json.loads(job.writes["leaderboard_json"].read_text()) == []
