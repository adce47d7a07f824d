"""No layer passes the margin: what waits for one is not trained, and the whole study says so."""

import pandas as pd
import pytest

from pipeline.results import rows
from pipeline.results.untrained import UNTRAINED
from pipeline.run.contract import template
from pipeline.study.strict_yaml import StudyError
from pipeline.tracking import mlflow_metrics, mlflow_runs
from robustinfo.core.sealed import unseal
from tests.staged import staged

TRAINING = "{epochs: 1, batch_size: 64, learning_rate: 0.01, snapshot_every: 1}"
STUDY = f"""
name: tiny
seeds: [0, 1]
settings: [{{dataset: digits, model: lenet5}}]
datasets: {{digits: {{method: digits, size: 12}}}}
models: {{lenet5: {{method: lenet5}}}}
training_images: 600
validation_share: 0.2
defences:
  plain: &plain {{method: standard, loss: {{method: cross_entropy}}}}
  on_fc1: &ib {{method: ib_rar, base: *plain, layers: [fc1], masked_share: 0.0}}
  on_fc2: {{<<: *ib, layers: [fc2]}}
  selected: {{method: ib_rar, base: *plain, masked_share: 0.0}}
pretrain: {{plain: {TRAINING}, on_fc1: {TRAINING}, on_fc2: {TRAINING}}}
selection:
  settings: [{{dataset: digits, model: lenet5}}]
  compared: [plain, on_fc1, on_fc2]
  attack: fgsm
  margin: 0.9
train_selected: {{selected: {TRAINING}}}
evaluation_images: 40
attacks:
  fgsm: {{method: fgsm, norm: linf, epsilon: 0.1}}
  pgd: {{method: pgd, norm: linf, epsilon: 0.1, step_size: 0.05, steps: 3}}
transfers: []
measures: {{nhsic: {{method: nhsic, batch_size: 20}}}}
complexities: {{png: {{method: png_size}}}}
distortions: {{noise: {{method: linf_noise, epsilon: 0.15}}}}
diagnostics:
  epsilon_curve: {{method: attack_accuracy, steps: 3, sweep: {{epsilon: [0.0, 0.1, 1.0]}}}}
verdict: {{twin: plain}}
tables:
  table-attacks: {{title: Attacks, rows: [model, defence], columns: [entry],
    where: {{stage: attack, quantity: accuracy}}}}
  table-alone: {{title: What waits, rows: [layer], columns: [quantity],
    where: {{stage: measure, defence: selected, quantity: nhsic_input, epoch: last}}}}
figures:
  figure-epsilon: &figure {{title: By epsilon, rows: [defence], columns: [level], draw: curves,
    where: &curve {{stage: diagnose, entry: epsilon_curve, quantity: attack_accuracy}}}}
  figure-alone: {{<<: *figure, where: {{<<: *curve, defence: selected}}}}
claims:
  beats: &beats {{paper: ib-rar, claim: partial_beats_all, expect: above,
    of: &under_pgd {{stage: attack, quantity: accuracy, entry: pgd, defence: selected}},
    against: {{<<: *under_pgd, defence: on_fc1}}}}
  trained_ones: {{<<: *beats, of: {{<<: *under_pgd, defence: on_fc2}}}}
"""
SETTING = {"dataset": "digits", "model": "lenet5"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """What each file of the study says, after all its stages: (artifact, names) -> its table."""
    folder = tmp_path_factory.mktemp("untrained")
    with staged(folder, STUDY) as (study, run):
        run("prepare", dataset="digits")
        every = [{**SETTING, "defence": d, "seed": s} for d in study["defences"] for s in "01"]
        for names in every:
            if names["defence"] != "selected":
                run("pretrain", **names)
                run("screen", **names)
        run("select", **SETTING)
        for names in every:
            if names["defence"] == "selected":
                run("train_selected", **names)
            for attack in study["attacks"]:
                run("attack", **names, attack=attack)
            for stage in ("measure", "complexity", "distort", "diagnose"):
                run(stage, **names)
        run("collect", **SETTING)
        run("gallery", **SETTING)
        run("verdict")
        for names in every:
            run("remedies", **names)
        for stage in ("leaderboard", "overview", "claims"):
            run(stage)
        for target in study["tables"]:
            run("table", target=target)
        for target in study["figures"]:
            run("figure", target=target)
        run("report")

        def path(artifact, **names):
            return folder / template(artifact).format(study="tiny", **SETTING | names)

        yield path, study


@pytest.fixture
def told(finished):
    path, _ = finished
    return lambda artifact, **names: rows.read(path(artifact, **names), numbers=["saturated"])


def test_the_gains_are_there_and_no_layer_is_selected(told):
    found = told("selection")
    assert (found[found.quantity == "gain"].value < 0.9).all()
    assert not found[found.quantity == "selected"].value.any()


def test_its_runs_hold_nothing_and_one_row_says_so(finished, told):
    path, _ = finished
    run = {"defence": "selected", "seed": "1"}
    assert unseal(path("model", **run)) == ({}, {})
    assert unseal(path("examples", **run, attack="pgd"))[0] == {}
    assert not [*path("snapshots", **run).iterdir()] and told("diagnostics", **run).empty
    own = told("results")
    own = own[own.defence == "selected"]
    assert own.quantity.tolist() == ["untrained"] * 2 and own.seed.tolist() == [0, 1]


def test_the_verdict_and_the_leaderboard_say_that_it_was_not_trained(told):
    verdicts = told("verdict").set_index("defence")
    assert verdicts.verdict["selected"] == UNTRAINED
    assert pd.isna(verdicts.robust_accuracy["selected"]) and verdicts.n["plain"] == 40
    board = told("leaderboard").set_index("defence")
    assert board.index[-1] == "selected" and pd.isna(board["rank"]["selected"])
    assert "selected" not in set(told("checks").defence) | set(told("gallery").defence)


def test_tables_and_figures_name_it_without_a_value(finished, told):
    table = told("table", target="table-attacks")
    own = table[table.row == "lenet5 / selected"]
    assert own.column.tolist() == ["fgsm", "pgd"] and set(own.scope) == {UNTRAINED}
    assert own.ours.isna().all() and table[table.row == "lenet5 / plain"].ours.notna().all()
    alone = told("table", target="table-alone")
    assert alone.row.tolist() == ["selected"] and alone.scope.tolist() == [UNTRAINED]
    path, _ = finished
    for target in ("figure-epsilon", "figure-alone"):
        assert f"selected: {UNTRAINED}" in path("figure", target=target).read_text()


def test_a_claim_that_names_it_is_undecided_for_that_reason(told):
    claims = told("claims").set_index("claim")
    assert claims.judgement["beats"] == "undecided"
    assert claims.reason["beats"] == f"selected: {UNTRAINED}"
    assert pd.isna(claims.value["beats"]) and pd.notna(claims.value["trained_ones"])
    assert UNTRAINED not in claims.reason["trained_ones"]


def test_the_report_shows_it_and_no_number_that_is_none(finished):
    path, _ = finished
    page = path("report").read_text()
    assert page.count(UNTRAINED) >= 4
    assert "nan" not in page.replace("nance", "").partition("<svg")[0]


def test_mlflow_is_given_no_number_of_it(finished):
    _, study = finished
    runs, incomplete = mlflow_runs.runs(study)
    assert incomplete == 0
    found = {
        run.name: mlflow_metrics.points(mlflow_metrics.table(run.files), run.swept) for run in runs
    }
    assert found["digits/lenet5/selected/0"] == [] and found["digits/lenet5/plain/0"]


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("twin: plain", "twin: selected", "verdict.twin: selected waits for a selected layer"),
        ("transfers: []", "transfers: [{defence: plain, proxy: selected}]",
         "transfers.0.proxy: selected waits for a selected layer"),
    ],
)  # fmt: skip
def test_nothing_that_is_trained_may_depend_on_it(tmp_path, old, new, said):
    assert old in STUDY
    with (
        pytest.raises(StudyError, match=said),
        staged(tmp_path, STUDY.replace(old, new)),
    ):
        pytest.fail("it was taken")
