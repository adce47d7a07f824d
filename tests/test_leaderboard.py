"""The leaderboard, and what a study says of information and robustness."""

import json
import math

import pandas as pd
import pytest

from pipeline.results import information_vs_robustness, rows
from pipeline.results.statistics import with_intervals
from pipeline.stages import _ranking, leaderboard
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
    clean = {"attack": _ranking.CLEAN, "low": 0.0, "high": 1.0}
    own = [line | clean for line in table[_ranking.RUN].to_dict("records")]
    balls = table[[*_ranking.SETTING, "norm"]].itertuples(index=False, name=None)
    return _ranking.rank_defences(table, own, {ball: f"{ball[-1]} up to 1" for ball in balls})


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


def collected(robust, measured, quantity="nhsic_input", entry="nhsic", clean=(0.9,), scale=None):
    """Rows of one setting: robust accuracy and a measure, by defence and seed.

    clean, scale: the clean accuracies and the scales of the logits, run by run, again and again.
    """
    found = []
    for defence in robust:
        pairs = zip(robust[defence], measured[defence], strict=True)
        for seed, (accuracy, value) in enumerate(pairs):
            own = NAMES | {"defence": defence, "seed": seed, "n": N}
            right = {"stage": "diagnose", "entry": "clean", "quantity": "accuracy"}
            right["value"] = clean[seed % len(clean)]
            worst = {"stage": "diagnose", "quantity": "robust_accuracy"}
            by_norm = {"union": accuracy, "linf": accuracy + 0.1, "l2": 0.45}
            worst = [worst | {"entry": one, "value": left} for one, left in by_norm.items()]
            pgd = {"stage": "attack", "entry": "linf_pgd", "quantity": "accuracy", "value": 0.5}
            curve = {"stage": "diagnose", "entry": "epsilon_curve", "quantity": "attack_accuracy"}
            bits = {"stage": "measure", "entry": entry, "input": "clean", "epoch": 3}
            scaled = (
                [bits | {"quantity": "logit_scale", "value": scale[seed % len(scale)]}]
                if scale
                else []
            )
            bits["quantity"] = quantity
            layers = [bits | {"layer": "fc2", "value": value}, bits | {"layer": "fc3", "value": 0}]
            before = [bits | {"epoch": 1, "layer": "fc2", "value": 99.0}]
            swept = [curve | {"level": level, "value": 0.9 - level} for level in (0.0, 0.9)]
            fractions = [one | {"interval": "fraction"} for one in (right, *worst, pgd, *swept)]
            found += [own | row for row in (*fractions, *layers, *before, *scaled)]
    columns = ["dataset", "model", "defence", "seed", *rows.MEASURED_AT, *rows.VALUE]
    table = pd.DataFrame(found, columns=columns)
    text = [name for name in table if name not in rows.NUMBERS]
    table[text] = table[text].fillna("")
    return with_intervals(table.astype({"low": float, "high": float, "saturated": object}))


ROBUST = {"standard": [0.0, 0.1], "entropic": [0.3, 0.2]}
BITS = {"standard": [5.0, 4.0], "entropic": [1.0, 2.0]}
LENET5 = {"method": "lenet5"}
MEASURES = {
    "nhsic": {"method": "nhsic"},
    "kde": {"method": "kde_information"},
    "ksg": {"method": "ksg_information"},
}


def test_a_point_is_the_last_epoch_of_the_last_hidden_layer_beside_robust_accuracy():
    points = information_vs_robustness.points(collected(ROBUST, BITS), LENET5, MEASURES)
    assert set(points.layer) == {"fc2"}
    assert points.value.tolist() == [5, 4, 1, 2]
    assert points.robust_accuracy.tolist() == [0.0, 0.1, 0.3, 0.2]


def test_the_union_stands_in_every_line_of_a_run_and_nowhere_where_there_is_one_norm():
    lines = [("d", "m", "a", "broken", 0.9, 0.1), ("d", "m", "b", "broken", 0.9, 0.3)]
    board = ranked(pd.concat([verdicts(*lines), verdicts(*lines, norm="l2")]))
    run = {"dataset": "d", "model": "m", "n": N}
    union = {"attack": _ranking.IN_ALL, "value": 0.05, "low": 0.0, "high": 0.2}
    assert _ranking.with_unions(board, [run | {"defence": "a", "attack": "all in linf"}]) is board
    found = _ranking.with_unions(board, [run | {"defence": "a"} | union])
    assert found[[*board]].equals(board)
    own = found[found.defence == "a"]
    assert own.union_accuracy.tolist() == [0.05] * 2 and own.union_high.tolist() == [0.2] * 2
    assert found[found.defence == "b"].union_accuracy.isna().all()


def test_what_was_transferred_counts_where_it_was():
    table = collected(ROBUST, BITS)
    worst = table[table.entry.eq("union") & table.defence.eq("entropic")]
    more = worst.assign(stage="transfer", value=[0.05, 0.15])
    found = information_vs_robustness.robust_rows(pd.concat([table, more], ignore_index=True))
    assert sorted(found.value) == [0.0, 0.05, 0.1, 0.15]


def correlated(robust, bits, **more):
    table = collected(robust, bits, **more)
    points = information_vs_robustness.points(table, LENET5, MEASURES)
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


ONE = {"a": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]}
INFORMATION = {"a": [3.0, 2.5, 2, 1, 0.5, 0.25]}


def test_a_bound_of_information_in_84_dimensions_is_not_believed():
    quantity = "information_input_bits_lower"
    line = correlated(ONE, INFORMATION, quantity=quantity, entry="kde")
    assert (
        line["says"] == "cannot be said of estimates that may not be believed (docs/information.md)"
    )
    assert math.isnan(line["correlation"]) and line["runs"] == 6


def logits(table, n=1000, classes=10):
    """The measured rows as those of n images and of the logits, of so many classes."""
    table.loc[table.stage == "measure", ["n", "ceiling"]] = [n, 3.3]
    told = table.iloc[:1].assign(stage="data", entry="", quantity="classes", value=classes)
    return pd.concat([table[table.layer != "fc2"], told], ignore_index=True)


@pytest.mark.parametrize(
    ("n", "classes", "saturated", "believed"),
    [(1000, 10, "", True), (999, 10, "", False), (1000, 11, "", False), (1000, 10, "True", False)],
)
def test_ksg_of_ten_logits_is_believed_from_a_thousand_images_on(n, classes, saturated, believed):
    table = collected(ONE, INFORMATION, quantity="information_label_bits", entry="ksg")
    table = logits(table, n, classes)
    table.loc[table.stage == "measure", "saturated"] = saturated
    points = information_vs_robustness.points(table, LENET5, MEASURES)
    assert set(points.layer) == {"fc3"} and set(points.believable) == {str(believed)}


def test_what_accuracy_alone_makes_alike_is_told_so():
    """Both follow clean accuracy; at like accuracy, one falls where the other rises by chance."""
    noise = [0.04, -0.04, -0.04, 0.04] * 3
    clean = [0.5 + 0.03 * k for k in range(12)]
    robust = {"a": [a - 0.3 for a in clean]}
    robust["a"] = [r + e for r, e in zip(robust["a"], noise, strict=True)]
    value = {"a": [10 * a + 0.5 * (k % 2) for k, a in enumerate(clean)]}
    line = correlated(robust, value, clean=clean, scale=[1.0, 2.0, 1.5])
    assert line["correlation"] > 0.8 and line["low"] > 0
    assert abs(line["partial"]) < 0.6 and abs(line["linear"]) < 0.6
    assert line["partial_low"] < 0 < line["partial_high"]
    assert line["controls"] == "clean accuracy, logit scale"
    end = "but not at like accuracy and logit scale: there the interval holds 0"
    assert line["says"].endswith(end)


def test_what_is_left_at_like_accuracy_is_a_correlation_and_few_runs_leave_it_open():
    clean = [0.9, 0.8, 0.85, 0.7, 0.95, 0.6]
    runs = {name: [0.1 * k + 0.3 * j for k in range(6)] for j, name in enumerate("ab")}
    bits = {name: [5 - value for value in values] for name, values in runs.items()}
    line = correlated(runs, bits, clean=clean)
    assert line["controls"] == "clean accuracy" and line["linear"] == pytest.approx(-1)
    assert line["says"] == "the more of it, the less robust"
    few = [{"a": one["a"][:5]} for one in (runs, bits)]
    few = correlated(*few, clean=clean, scale=[1.0, 2.0, 1.5])
    assert few["says"].endswith("not known at like accuracy and logit scale")


def test_several_settings_are_taken_together_and_one_by_one():
    points = information_vs_robustness.points(collected(ROBUST, BITS), LENET5, MEASURES)
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
    table = collected(ROBUST, BITS, quantity="information_input_bits_lower", entry="kde")
    rows.write_table(job.file("results", **NAMES), table)
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
    in_norms = ["all in linf", "all in l2", "union of norms"]
    assert list(left.attack.unique()) == ["clean", "linf_pgd", *in_norms]
    worst = {norm: left[left.attack == f"all in {norm}"] for norm in ("linf", "l2")}
    robust = worst["linf"].set_index("defence").value.to_dict()
    assert robust == pytest.approx({"standard": 0.15, "entropic": 0.35})
    assert set(worst["l2"].value) == {0.45}
    union = left[left.attack == "union of norms"].set_index("defence")
    assert union.value.to_dict() == pytest.approx({"standard": 0.05, "entropic": 0.25})
    assert board.union_accuracy.tolist() == union.value[board.defence].tolist()
    assert board.union_low.tolist() == union.low[board.defence].tolist()
    tex = job.writes["leaderboard_tex"].read_text()
    assert r"in all norms (\%)" in tex and "25.0 (" in tex
    curves = rows.read(job.writes["accuracy_by_epsilon"])
    assert set(curves.norm) == {"linf"} and curves.epsilon.tolist() == [0.0, 0.9] * 2


def test_without_a_threat_model_all_tables_are_there_and_empty(job):
    rows.write_table(job.file("verdict"), verdicts())
    leaderboard.run(job)
    for name in ("leaderboard", "accuracy_by_attack", "accuracy_by_epsilon", "correlations"):
        assert rows.read(job.writes[name]).empty
    assert json.loads(job.writes["leaderboard_json"].read_text()) == []
