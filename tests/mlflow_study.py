"""A small study whose results are given, and an empty store of MLflow to show them in."""

import sqlite3
import tempfile
from functools import cache
from pathlib import Path

import pytest
from mlflow import MlflowClient

from pipeline.results import rows, sealed_text
from pipeline.run.contract import template

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


@cache
def empty_store() -> bytes:
    """Making the tables takes seconds, copying them does not."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "mlflow.db")
        MlflowClient(f"sqlite:///{file}").search_experiments()
        with sqlite3.connect(file) as connection:  # its journal, too
            connection.execute("pragma wal_checkpoint(truncate)")
        return file.read_bytes()


@pytest.fixture
def study(tmp_path, monkeypatch):
    """One finished run of each defence, and one of seed 1 whose attack has not been run."""
    monkeypatch.chdir(tmp_path)
    Path("pipeline").symlink_to(ROOT / "pipeline")  # what the stages say of their files
    Path("mlflow.db").write_bytes(empty_store())
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
    """Runs by name; those of networks are superseded or not, that of the study is neither."""
    client = MlflowClient(store())
    experiment = client.get_experiment_by_name("tiny").experiment_id
    return {run.info.run_name: run for run in client.search_runs([experiment], where)}


def artifact(run_id, path):
    return Path(MlflowClient(store()).download_artifacts(run_id, path)).read_text()
