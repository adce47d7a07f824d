"""What a person sees: the study's run, notes, the table's columns, models."""

import json
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.tracking.registry import UnsupportedModelRegistryStoreURIException

from pipeline.results import rows, sealed_text
from pipeline.run.digest import sha256
from pipeline.tracking.mlflow_note import MOST_LINES, VIEW, of_study
from pipeline.tracking.mlflow_show import show
from tests.mlflow_study import ROWS, artifact, place, shown, store, study

__all__ = ["study"]  # fixture
NAMES = "dataset,model,defence,norm,epsilon"
RUN = "digits/lenet5/adversarial/0"
LINE = {
    "defence": "adversarial", "dataset": "digits", "model": "lenet5", "norm": "linf",
    "epsilon": 0.15, "verdict": "broken", "robust_accuracy": 0.25, "low": 0.2, "high": 0.3,
    "clean_accuracy": 0.9,
}  # fmt: skip


def judged(verdict="broken"):
    """Verdict, checks, leaderboard, report, gallery and a figure of the study, as its jobs do."""
    line = f"digits,lenet5,adversarial,linf,0.15,{verdict}"
    head = f"{NAMES},verdict,robust_accuracy,low,high\n"
    sealed_text.write(place("verdict"), f"{head}{line},0.25,0.2,0.3\n")
    sealed_text.write(
        place("checks"), f"{NAMES},check,result\n{line.rpartition(',')[0]},gap,failed\n"
    )
    place("leaderboard_json").write_text(json.dumps([LINE | {"verdict": verdict}]))
    for name in ("report", "gallery_picture", "picture"):
        place(name).parent.mkdir(exist_ok=True, parents=True)
        place(name).write_bytes(name.encode())


def paths(run_id, folder=""):
    return {file.path for file in MlflowClient(store()).list_artifacts(run_id, folder)}


def note(tags):
    return tags["mlflow.note.content"]


def test_the_study_has_one_run_with_its_report_and_every_note_leads_there(study):
    judged()
    show(study, store())
    (run,) = shown("tags.kind = 'study'").values()
    assert paths(run.info.run_id) == {
        "report.html", "leaderboard.json", "checks.csv", "gallery", "figures"
    }  # fmt: skip
    assert paths(run.info.run_id, "figures") == {"figures/figure-success.png"}
    assert paths(run.info.run_id, "gallery/digits") == {"gallery/digits/lenet5.png"}
    experiment = MlflowClient(store()).get_experiment_by_name("tiny")
    report = f"#/experiments/1/runs/{run.info.run_id}/artifacts/report.html"
    assert report in note(experiment.tags) and report in note(shown()[RUN].data.tags)
    assert "adversarial: broken" in note(experiment.tags).partition("\n")[0]  # all that is unfolded
    assert "| **broken** | 25.0% (20.0% to 30.0%) | 90.0% |" in note(experiment.tags)
    assert note(experiment.tags) == note(run.data.tags)


def test_the_link_opens_the_networks_with_verdict_and_accuracies_first(study):
    judged()
    assert f"viewStateShareKey={VIEW}" in show(study, store())
    tags = MlflowClient(store()).get_experiment_by_name("tiny").tags
    view = json.loads(tags[f"mlflow.sharedViewState.{VIEW}"])
    first = ["tags.`verdict`", "metrics.`accuracy/robust_linf`", "metrics.`accuracy/clean`"]
    assert view["selectedColumns"][:3] == first and view["orderByKey"] == first[1]
    assert set(shown(view["searchFilter"])) == {"digits/lenet5/standard/0", RUN}


def test_what_depends_on_other_runs_is_brought_up_to_date_in_place(study):
    show(study, store())
    before = {name: run.info.run_id for name, run in shown("").items()}
    for verdict in ("broken", "masked"):
        judged(verdict)
        assert "0 new" in show(study, store())
        found = shown("")
        assert {name: run.info.run_id for name, run in found.items()} == before
        assert found[RUN].data.tags["verdict"] == f"linf: {verdict}"
        assert f"linf 0.15: **{verdict}**" in note(found[RUN].data.tags)
        assert found["digits/lenet5/standard/0"].data.tags["verdict"] == "-"
        assert "gap,failed" in artifact(before[RUN], "checks.csv")
        assert verdict in artifact(before["tiny"], "leaderboard.json")
    assert "checks.csv" not in paths(before["digits/lenet5/standard/0"])


def test_a_run_has_the_figures_that_show_something_of_it(study):
    at = {"stage": "measure", "input": "fgsm", "quantity": "attack_success_rate"}
    success = [at | {"epoch": epoch, "value": 0.5, "n": 10} for epoch in (0, 1)]
    rows.write(place("measures", "adversarial"), [*ROWS["measures"], *success])
    show(study, store())
    found = {name: paths(run.info.run_id, "figures") for name, run in shown().items()}
    assert found == {RUN: {"figures/figure-success.png"}, "digits/lenet5/standard/0": set()}


def test_a_long_leaderboard_fits_into_a_tag():
    long = LINE | {"defence": "d" * 60, "verdict": "not enough was tried"}
    text = of_study("s", [long] * 200, "1", 32 * "a")
    assert len(text) < 5000 and text.count("**not enough") == MOST_LINES
    assert f"{200 - MOST_LINES} more in leaderboard.csv" in text


def test_a_checkpoint_is_a_version_of_its_defences_model(study):
    show(study, store())
    run, client = shown()[RUN], MlflowClient(store())
    (version,) = client.search_model_versions(f"run_id = '{run.info.run_id}'")
    assert (
        run.data.tags["model_version"] == f"{version.name}/1" == "tiny.digits.lenet5.adversarial/1"
    )
    file = place("model", "adversarial")
    assert version.tags == {"sha256": sha256(file), "seed": "0"}
    assert Path(version.source, file.name).read_bytes() == file.read_bytes()


def test_a_store_without_models_has_the_checksum_as_a_tag(study, monkeypatch):
    def none(*_, **__):
        raise UnsupportedModelRegistryStoreURIException("x", [])

    monkeypatch.setattr(MlflowClient, "search_registered_models", none)
    assert "2 new" in show(study, store())
    tags = shown()[RUN].data.tags
    assert tags["model_version"].startswith("none")
    assert tags["checkpoint_sha256"] == sha256(place("model", "adversarial"))


def test_another_error_of_models_is_told_and_nothing_is_half_there(study, monkeypatch):
    def fails(*_, **__):
        raise MlflowException("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(MlflowClient, "create_model_version", fails)
        assert "not shown" in show(study, store())
    assert "2 new" in show(study, store())
    assert len(MlflowClient(store()).search_model_versions()) == 2
