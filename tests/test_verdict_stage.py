"""The verdict of a study on hand-made runs: the worst seed decides, what was not run is told."""

import pandas as pd
import pytest

from pipeline.results import rows
from pipeline.results.statistics import with_intervals
from pipeline.stages import verdict
from robustinfo.core.measurement import count_fraction, exact
from tests.jobs import made, settle, small

SETTING = {"dataset": "007", "model": "m"}
PGD = {"method": "pgd", "norm": "linf", "epsilon": 0.1, "step_size": 0.02, "steps": 20}
L2 = PGD | {"norm": "l2", "epsilon": 1.0}
N = 400
LEFT = {"linf": 0, "l2": 0}  # robust images, unless a test says otherwise


def of_run(defence, seed, robust, clean=360):
    """The collected rows of one run, of how many robust images by norm."""
    found = [count_fraction("accuracy", clean, N)._replace(entry="clean")]
    for norm, images in robust.items():
        told = [count_fraction("robust_accuracy", images, N), exact("gradient_attacks", 1)]
        found += [one._replace(entry=norm) for one in told]
    worst = count_fraction("robust_accuracy", min(robust.values()), N)
    found.append(worst._replace(entry="attacks"))
    attacks = [
        count_fraction("accuracy", images, N)._replace(entry=f"{norm}_pgd")
        for norm, images in robust.items()
    ]
    about = SETTING | {"defence": defence, "seed": seed}
    own = [
        *rows.from_measurements("data", [exact("classes", 10)]),
        *rows.from_measurements("diagnose", found),
    ]
    return pd.DataFrame(about | row for row in [*own, *rows.from_measurements("attack", attacks)])


def standing(defence, seed, robust):
    """The first so many images of each norm are robust."""
    return pd.concat(
        pd.DataFrame({"entry": norm, "index": range(N)}).assign(
            correct=[int(index < images) for index in range(N)], defence=defence, seed=seed
        )
        for norm, images in robust.items()
    )


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """(verdict.csv by defence and norm, checks.csv) of {defence: [robust images by norm, ...]}."""
    settle(tmp_path, monkeypatch)

    def told(runs, attacks=None):
        attacks = {"linf_pgd": PGD, "l2_pgd": L2} if attacks is None else attacks
        trained = {key: {name: {} for name in runs} for key in ("defences", "pretrain")}
        about = {"settings": [SETTING], "attacks": attacks, "verdict": {"twin": next(iter(runs))}}
        job = made(small(**about, **trained, datasets={"007": {}}), "verdict")
        every = [(d, s, LEFT | one) for d, seeds in runs.items() for s, one in enumerate(seeds)]
        results = with_intervals(pd.concat([of_run(*one) for one in every], ignore_index=True))
        rows.write_table(job.file("results", **SETTING), results)
        stands = pd.concat([standing(*one) for one in every])
        rows.write_table(job.file("per_image", **SETTING), stands)
        verdict.run(job)
        found = rows.read(job.writes["verdict"])
        return found.set_index(["defence", "norm"]), rows.read(job.writes["checks"])

    return told


def answer(checks, name, **where):
    for column, value in where.items():
        checks = checks[checks[column] == value]
    (line,) = checks[checks.check == name].to_dict("records")
    return line


def test_a_defence_called_none_is_judged_like_any_other(judged):
    found, checks = judged({"standard": [{}], "None": [{"linf": 300}]})
    assert [*found.index] == [(d, n) for n in ("linf", "l2") for d in ("standard", "None")]
    gain = answer(checks, "gain_over_twin", defence="None", norm="linf")
    assert gain["value"] == pytest.approx(300 / N) and gain["result"] == "passed"
    assert gain["entry"] == "standard" and gain["low"] < 300 / N < gain["high"]
    assert set(found.dataset) == {"007"}


def test_each_norm_has_its_own_verdict_accuracy_and_epsilon(judged):
    found, _ = judged({"standard": [{"linf": 0, "l2": 100}]})
    linf, l2 = (found.loc["standard", norm] for norm in ("linf", "l2"))
    assert (linf.robust_accuracy, l2.robust_accuracy) == (0, 0.25)
    assert (linf.epsilon, l2.epsilon) == (0.1, 1.0)
    assert (linf.strongest_attack, l2.strongest_attack) == ("linf_pgd", "l2_pgd")
    assert linf.verdict == "broken" and l2.verdict != "broken"


def test_of_two_seeds_the_worst_decides_and_both_make_the_mean(judged):
    good, bad = {"linf": 320}, {"linf": 0}
    for seeds in ([good, bad], [bad, good]):
        found, checks = judged({"standard": [{}, {}], "mine": seeds})
        line = found.loc["mine", "linf"]
        assert line.verdict == "broken" and line.seeds == 2
        assert line.robust_accuracy == pytest.approx(0.4) and line.scope == "method"
        robust = answer(checks, "robust_accuracy", defence="mine", norm="linf")
        assert (robust["result"], robust["value"]) == ("failed", 0)
    found, _ = judged({"standard": [{}, {}], "mine": [good, good]})
    assert found.loc["mine", "linf"].verdict != "broken"


def test_a_twin_that_was_trained_elsewhere_is_held_against_every_seed(judged):
    _, checks = judged({"theirs": [{"linf": 100}], "mine": [{"linf": 300}, {"linf": 180}]})
    gain = answer(checks, "gain_over_twin", defence="mine", norm="linf")
    assert gain["value"] == pytest.approx(80 / N) and gain["low"] > 0  # of its worst seed
    _, checks = judged({"mine": [{"linf": 300}, {"linf": 180}], "theirs": [{"linf": 100}]})
    gain = answer(checks, "gain_over_twin", defence="theirs", norm="linf")
    assert gain["value"] == pytest.approx(-200 / N)  # beside the twin's first seed


def test_one_seed_says_that_its_interval_is_of_this_network(judged):
    found, _ = judged({"standard": [{"linf": 40}]})
    line = found.loc["standard", "linf"]
    assert line.scope == "network" and line.low < line.robust_accuracy < line.high


def test_what_was_not_run_stays_not_run_and_holds_nothing(judged):
    found, checks = judged({"standard": [{}], "mine": [{"linf": 300, "l2": 300}]})
    line = found.loc["mine", "linf"]
    own = checks[(checks.defence == "mine") & (checks.norm == "linf")]
    absent = own[
        own.check.isin(["autoattack_attacks", "flat_fraction", "binarization_missed_fraction"])
    ]
    assert set(absent.result) == {"not run"} and absent.value.isna().all() and len(absent) == 3
    assert line.not_run == (own[own["class"] != "note"].result == "not run").sum() > 3
    assert line.verdict == "not enough was tried"


def test_the_twin_is_told_to_the_others_in_the_same_norm_alone(judged):
    found, checks = judged(
        {"standard": [{"linf": 0, "l2": 200}], "mine": [{"linf": 300, "l2": 300}]}
    )
    twin = {
        norm: answer(checks, "twin_robust_accuracy", defence="mine", norm=norm)
        for norm in ("linf", "l2")
    }
    assert (twin["linf"]["result"], twin["l2"]["result"]) == ("passed", "failed")
    assert found.loc["mine", "l2"].verdict == "invalid" != found.loc["mine", "linf"].verdict


def test_a_study_without_a_threat_model_has_empty_tables_with_all_columns(judged):
    far = {"method": "deepfool", "norm": "l2", "steps": 5}
    found, checks = judged({"standard": [{}]}, attacks={"far": far})
    assert found.empty and [*found.reset_index()] == sorted(
        verdict.COLUMNS, key=lambda name: (name not in ("defence", "norm"), 0)
    )
    assert checks.empty and [*checks] == verdict.CHECKED
