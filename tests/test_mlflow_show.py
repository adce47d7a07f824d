import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from pipeline.results import rows, sealed_text
from pipeline.run.contract import template
from pipeline.study.extends import read_study
from pipeline.tracking import mlflow_runs
from pipeline.tracking.mlflow_show import show
from robustinfo.core.errors import UserError

ROOT = Path(__file__).parents[1]
STUDY = """
name: tiny
seeds: [0, 1]
settings: [{dataset: digits, model: lenet5}]
datasets: {digits: {method: digits, size: 28}}
models: {lenet5: {method: lenet5}}
validation_share: 0.1
defences:
  standard: {method: standard, loss: {method: cross_entropy}}
  adversarial:
    method: adversarial
    loss: {method: cross_entropy}
    attack: {norm: linf, epsilon: 0.15, step_size: 0.05, steps: 5}
pretrain: {standard: {epochs: 2, batch_size: 64, learning_rate: 0.001, snapshot_every: 1}}
retrain: {adversarial: {epochs: 1, batch_size: 64, learning_rate: 0.001, snapshot_every: 1}}
attacks: {fgsm: {method: fgsm, norm: linf, epsilon: 0.15}}
snapshot_attacks: {fgsm: {method: fgsm, norm: linf, epsilon: 0.15}}
measures: {kde: {method: kde_information, noise_variance: 0.1}}
complexities: {png: {method: png_size}}
distorted: {inputs: [clean], measures: []}
distortions: {jpeg: {method: jpeg, sweep: {quality: [20, 100]}}}
diagnostics: {curve: {method: attack_accuracy, steps: 2, sweep: {epsilon: [0.0, 0.15, 1.0]}}}
figures:
  figure-success:
    title: success
    rows: [defence]
    columns: [epoch]
    where: {stage: measure, input: fgsm, quantity: attack_success_rate}
    draw: curves
"""
SPLIT = {"images": 9, "shape": [1, 28, 28], "sha256": 64 * "a"}
KDE = {"stage": "measure", "entry": "kde", "input": "clean", "layer": "conv1"}
COMPLEXITY = {"stage": "complexity", "entry": "png", "quantity": "mean"}
JPEG = {"stage": "distort", "entry": "jpeg", "input": "clean", "quantity": "accuracy"}
CURVE = {"stage": "diagnose", "entry": "curve", "quantity": "attack_accuracy"}
ROWS = {
    "history": [
        {"stage": "train", "epoch": 1, "quantity": "train/loss", "value": 0.7},
        {"stage": "train", "epoch": 2, "quantity": "train/loss", "value": 0.4},
    ],
    "attacked": [
        {"stage": "attack", "entry": "fgsm", "quantity": "attack_success_rate", "value": 0.6},
        {"stage": "attack", "entry": "fgsm", "quantity": "accuracy", "value": ""},
    ],
    "measures": [
        {"stage": "measure", "input": "fgsm", "epoch": 2, "quantity": "accuracy", "value": 0.3},
        {**KDE, "epoch": 0, "quantity": "information_input_bits_upper", "value": 3.0},
        {**KDE, "epoch": 2, "quantity": "information_input_bits_upper", "value": 2.5},
        {**KDE, "layer": "network", "epoch": 2, "quantity": "network_entropy", "value": -1.5},
    ],
    "complexities": [{**COMPLEXITY, "input": "clean", "value": 512.0}],
    "distortions": [
        {**JPEG, "level": 20, "value": 0.8},
        {**JPEG, "level": 100, "value": 0.9},
        {**JPEG, "level": 20, "layer": "fc", "quantity": "bins/redundancy_bits", "value": 2.0},
    ],
    "diagnostics": [
        {**CURVE, "level": 0.0, "value": 0.9},
        {**CURVE, "level": 0.15, "value": 0.2},
        {"stage": "diagnose", "entry": "clean", "quantity": "accuracy", "value": 0.9},
        {"stage": "diagnose", "entry": "union", "quantity": "robust_accuracy", "value": 0.25},
        {"stage": "diagnose", "entry": "l2", "quantity": "robust_accuracy", "value": 0.5},
    ],
    "remedied": [
        {"stage": "remedies", "entry": "l2", "quantity": "accuracy_after_remedies", "value": 0.1},
        {"stage": "remedies", "entry": "l2", "quantity": "broken_by_bpda", "value": ""},
    ],
}
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
    "robust/clean_accuracy": [(0, 0.9)],
    "robust/union.robust_accuracy": [(0, 0.25)],
    "robust/l2.robust_accuracy": [(0, 0.5)],
    "robust/l2.accuracy_after_remedies": [(0, 0.1)],
}


@pytest.fixture(scope="module")
def fresh_store(tmp_path_factory):
    """Making the tables takes seconds, copying them does not."""
    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{file}").search_experiments()
    with sqlite3.connect(file) as connection:  # its journal, too
        connection.execute("pragma wal_checkpoint(truncate)")
    return file.read_bytes()


@pytest.fixture
def study(tmp_path, monkeypatch, fresh_store):
    """One finished run of each defence, and one of seed 1 whose attack has not been run."""
    monkeypatch.chdir(tmp_path)
    Path("pipeline").symlink_to(ROOT / "pipeline")  # what the stages say of their files
    Path("mlflow.db").write_bytes(fresh_store)
    Path("params.yaml").write_text(STUDY)
    data = {"name": "digits", "source": "sklearn", "splits": {"train": SPLIT, "test": SPLIT}}
    sealed_text.write_json(place("data"), data)
    for defence, seed in [("standard", 0), ("adversarial", 0), ("standard", 1)]:
        for artifact, content in ROWS.items():
            rows.write(place(artifact, defence, seed), content)
        place("model", defence, seed).write_bytes(b"weights")
    place("attacked", "standard", 1).unlink()
    return Path("params.yaml")


def place(artifact, defence="standard", seed=0):
    names = {"dataset": "digits", "model": "lenet5", "attack": "fgsm", "target": "figure-success"}
    return Path(template(artifact).format(study="tiny", defence=defence, seed=seed, **names))


def store():
    """Absolute: mlflow keeps its connection to a name, and every test has its own folder."""
    return f"sqlite:///{Path('mlflow.db').absolute()}"


def shown(where="tags.superseded = 'no'"):
    client = MlflowClient(store())
    experiment = client.get_experiment_by_name("tiny").experiment_id
    return {run.info.run_name: run for run in client.search_runs([experiment], where)}


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
    assert params["attacks.fgsm"] == "method: fgsm, norm: linf, epsilon: 0.15"
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


def test_the_headline_is_that_of_a_norm_and_what_is_robust_in_all_has_its_name(study):
    names = [name for name, *_ in mlflow_runs.metrics(mlflow_runs.runs(read_study(study)[0])[0][0])]
    first, *others = sorted(names, key=mlflow_runs.place)
    assert first == "robust/l2.robust_accuracy" and "robust/union.robust_accuracy" in others
    every = ["robust/union.robust_accuracy", "robust/l2.robust_accuracy", "train/loss"]
    every.append("robust/linf.robust_accuracy")
    assert sorted(every, key=mlflow_runs.place)[:2] == [
        "robust/linf.robust_accuracy",
        "robust/l2.robust_accuracy",
    ]


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


def test_verdict_and_figures_are_brought_up_to_date_in_place(study):
    show(study, store())
    place("picture").parent.mkdir()
    place("picture").write_bytes(b"png")
    header = "dataset,model,defence,norm,verdict\n"
    lines = [f"digits,lenet5,adversarial,{one}\n" for one in ("linf,broken", "l2,masked")]
    sealed_text.write(place("verdict"), header + "".join(lines))
    assert "0 new" in show(study, store())
    run = shown()["digits/lenet5/adversarial/0"]
    assert run.data.tags["verdict"] == "linf: broken, l2: masked"
    assert shown()["digits/lenet5/standard/0"].data.tags["verdict"] == "-"
    figures = MlflowClient(store()).list_artifacts(run.info.run_id, "figures")
    assert [figure.path for figure in figures] == ["figures/figure-success.png"]


def test_what_a_killed_process_left_is_replaced(study, monkeypatch):
    def dies(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(MlflowClient, "set_terminated", dies)
        with pytest.raises(KeyboardInterrupt):
            show(study, store())
    assert {run.info.status for run in shown("").values()} == {"RUNNING"}
    assert "2 new, 0 already there" in show(study, store())
    assert {run.info.status for run in shown("").values()} == {"FINISHED"}
    assert len(MlflowClient(store()).search_runs(["1"])) == 2


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
