import json
import subprocess
import sys

import pytest
from mlflow import MlflowClient

from pipeline.results import rows, sealed_text
from pipeline.study.extends import read_study
from pipeline.tracking import mlflow_metrics, mlflow_runs
from pipeline.tracking.mlflow_show import show
from robustinfo.core.errors import UserError
from tests.mlflow_study import ROOT, ROWS, artifact, place, shown, store, study

__all__ = ["study"]  # fixture

EXPECTED = {
    "train/loss": [(1, 0.7), (2, 0.4)],
    "attack_success_rate/fgsm": [(0, 0.6)],
    "snapshot/accuracy/fgsm": [(2, 0.3)],
    "kde/clean/conv1.information_input_bits_upper": [(0, 3.0), (2, 2.5)],
    "kde/clean/network_entropy": [(2, -1.5)],
    "complexity/png/clean": [(0, 512.0)],
    "distortion/jpeg/accuracy/clean_by_quality": [(20, 0.8), (100, 0.9)],
    "distortion/jpeg/bins/redundancy_bits/clean/fc_by_quality": [(20, 2.0)],
    "diagnostics/curve/attack_accuracy_by_epsilon_x1000": [(0, 0.9), (150, 0.2)],
    "accuracy/clean": [(0, 0.9)],
    "accuracy/robust_union": [(0, 0.25)],
    "accuracy/robust_l2": [(0, 0.5)],
    "accuracy/after_remedies_l2": [(0, 0.1)],
}


def test_every_finished_run_is_one_flat_run_with_the_same_parameter_names(study):
    assert show(study, store()).startswith("mlflow: 2 new, 0 already there, 2 not finished")
    found = shown()
    assert set(found) == {"digits/lenet5/standard/0", "digits/lenet5/adversarial/0"}
    one, other = (run.data.params for run in found.values())
    assert one.keys() == other.keys()
    assert all("mlflow.parentRunId" not in run.data.tags for run in found.values())
    params = found["digits/lenet5/adversarial/0"].data.params
    assert params["defence.attack.epsilon"] == "0.15" and params["start"] == "standard"
    assert params["training.epochs"] == "1" and params["evaluation_images"] == "null"
    assert not any(name.startswith("attacks.") for name in params)  # the same in every run
    run_id = found["digits/lenet5/adversarial/0"].info.run_id
    every = json.loads(artifact(run_id, "parameters.json"))
    assert every["attacks.fgsm"] == "method: fgsm, norm: linf, epsilon: 0.15"
    assert params.items() <= every.items()
    params = found["digits/lenet5/standard/0"].data.params
    assert params["defence.attack.epsilon"] == "-" and params["start"] == "scratch"
    inputs = found["digits/lenet5/standard/0"].inputs.dataset_inputs
    assert {i.dataset.digest for i in inputs} == {"aaaaaaaa"}


def test_a_set_of_texts_is_shown_by_its_number_of_texts(study):
    data = sealed_text.read_json(place("data"))
    texts = {"texts": 7, "shape": [30, 84], "sha256": 64 * "b"}
    sealed_text.write_json(place("data"), data | {"splits": {"train": texts, "test": texts}})
    show(study, store())
    inputs = shown()["digits/lenet5/standard/0"].inputs.dataset_inputs
    assert {json.loads(i.dataset.profile)["num_rows"] for i in inputs} == {7}


def test_metrics_are_the_files_numbers_at_their_epochs_and_levels(study):
    show(study, store())
    run = shown()["digits/lenet5/standard/0"]
    assert run.data.metrics.keys() == EXPECTED.keys()  # nothing for an empty value
    for name, points in EXPECTED.items():
        history = MlflowClient(store()).get_metric_history(run.info.run_id, name)
        assert sorted((point.step, point.value) for point in history) == points


def test_pages_open_on_the_robust_accuracy_of_a_norm(study):
    (run, *_), _ = mlflow_runs.runs(read_study(study)[0])
    points = mlflow_metrics.points(mlflow_metrics.table(run.files), run.swept)
    first, *others = [point.name for point in mlflow_metrics.select(points)]
    assert first == "accuracy/robust_l2"
    assert {name for name in others if name < "accuracy_"} == {
        "accuracy/clean", "accuracy/robust_union", "accuracy/after_remedies_l2"
    }  # fmt: skip


def test_replay_adds_nothing_and_a_changed_result_one_run(study):
    show(study, store())
    before = {name: run.to_dictionary() for name, run in shown().items()}
    assert "0 new, 2 already there" in show(study, store())
    assert {name: run.to_dictionary() for name, run in shown().items()} == before

    old = place("history").read_bytes()
    rows.write(place("history"), ROWS["history"][:1])
    assert "1 new, 1 already there" in show(study, store())
    replaced = shown("tags.superseded = 'yes'")
    assert list(replaced) == ["digits/lenet5/standard/0"]
    assert shown()["digits/lenet5/standard/0"].data.metrics["train/loss"] == 0.7

    place("history").write_bytes(old)  # dvc checkout
    assert "0 new, 2 already there" in show(study, store())
    assert shown()["digits/lenet5/standard/0"].info.run_id == replaced.popitem()[1].info.run_id


def test_what_a_killed_process_left_is_replaced(study, monkeypatch):
    def dies(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(MlflowClient, "set_terminated", dies)
        with pytest.raises(KeyboardInterrupt):
            show(study, store())
    assert [run.info.status for run in shown("").values()] == ["RUNNING"]
    assert "2 new, 0 already there" in show(study, store())
    assert {run.info.status for run in shown("").values()} == {"FINISHED"}
    assert len(MlflowClient(store()).search_runs(["1"])) == 3  # with that of the study


def test_an_unreachable_server_costs_one_line_and_a_replay_shows_all(study):
    command = [sys.executable, "-m", "pipeline", "mlflow", "--study", str(study)]
    python = {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "PATH": "/usr/bin:/bin"}

    def run(uri):
        environment = python | {"MLFLOW_TRACKING_URI": uri}
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    away = run("http://me:secret@127.0.0.1:9")
    assert away.returncode == 0 and away.stderr == "" and away.stdout.count("\n") == 1
    assert "Connection refused" in away.stdout and "secret" not in away.stdout
    assert "python -m pipeline mlflow --study params.yaml" in away.stdout
    there = run("")
    assert there.stdout.startswith("mlflow: 2 new, 0 already there") and there.stderr == ""


def test_a_key_is_made_of_parameters_and_results_alone(study):
    content, _ = read_study(study)
    (first, *_), _ = mlflow_runs.runs(content)
    content["defences"]["another"] = {"method": "standard", "weight": 1}
    content["pretrain"]["another"] = content["pretrain"]["standard"]
    assert mlflow_runs.runs(content)[0][0].key == first.key
    content["attacks"]["fgsm"]["epsilon"] = 0.2
    assert mlflow_runs.runs(content)[0][0].key != first.key


@pytest.mark.parametrize("content", ["seeds: [0]", "name: [", None])
def test_a_study_that_cannot_be_read_is_a_fault(study, content):
    study.write_text(content) if content else study.unlink()
    with pytest.raises(UserError):
        show(study, store())
