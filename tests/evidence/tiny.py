"""A tiny study, its plan, and how its runner is started and looked at."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from pipeline.results import rows, sealed_text

ROOT = Path(__file__).parents[2]
STUDY = """
name: tiny
seeds: [0]
settings: [{dataset: digits, model: lenet5}]
datasets: {digits: {method: digits, size: 28}}
models: {lenet5: {method: lenet5}}
training_images: 400
defences:
  standard: {method: standard, loss: {method: cross_entropy}}
  entropic: {method: entropic, loss: {method: cross_entropy}, weight: 1.0, factor: 1.65}
pretrain:
  standard: {epochs: 20, batch_size: 5, learning_rate: 0.001, snapshot_every: 10}
retrain:
  entropic: {epochs: 1, batch_size: 50, learning_rate: 0.001, snapshot_every: 1}
evaluation_images: 20
attacks: {fgsm: {method: fgsm, norm: linf, epsilon: 0.1}}
snapshot_attacks: {fgsm: {method: fgsm, norm: linf, epsilon: 0.1}}
measures: {activation_entropy: {method: activation_entropy}}
diagnostics:
  output_checks: {method: output_checks}
  zero_gradients: {method: zero_gradients, norm: linf, epsilon: 0.1}
  epsilon_curve: {method: attack_accuracy, norm: linf, steps: 2, sweep: {epsilon: [0.0, 1.0]}}
verdict: {twin: standard}
"""
PLAN = """
items:
  tiny:
    because: It takes seconds.
    study: studies/tiny.yaml
    units:
      - {dataset: digits, model: lenet5, defences: [standard, entropic], seeds: [0], hours: 0.01}
"""
STANDARD, ENTROPIC = (f"tiny/digits/lenet5/{defence}/0" for defence in ("standard", "entropic"))
RECORDS, RESULTS = Path("benchmarks/evidence"), Path(".evidence/results")


def environment(folder):
    path = os.pathsep.join([str(folder / "src"), str(folder)])
    return os.environ | {"PYTHONPATH": path, "ROBUSTINFO_DATA": str(folder.parent / "data")}


def run(folder, *command, check=True):
    done = subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def evidence(folder, *words, check=True):
    return run(folder, sys.executable, "-m", "pipeline", "evidence", *words, check=check)


def commit(folder, message):
    run(folder, "git", "add", "--all")
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    run(folder, "git", *who, "commit", "--quiet", "--message", message)
    return run(folder, "git", "rev-parse", "HEAD").strip()


def await_(runner, ready):
    while not ready():
        assert runner.poll() is None, runner.communicate()
        time.sleep(0.02)


def begun(folder):
    """A runner in the middle of the standard training, and that training, which is suspended."""
    runner = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "evidence", "run"],
        cwd=folder, env=environment(folder), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    owner, state = folder / ".evidence/owner.json", folder / RESULTS / STANDARD / ".training"
    await_(runner, lambda: owner.exists() and str(runner.pid) in owner.read_text())
    before = (state / "state.safetensors").stat().st_mtime if state.exists() else 0
    await_(runner, lambda: state.exists() and (state / "state.safetensors").exists())
    await_(runner, lambda: (state / "state.safetensors").stat().st_mtime > before)
    (training,) = psutil.Process(runner.pid).children()
    training.suspend()  # so that it is not at its end before it is stopped
    return runner, training


def record(folder, unit):
    return sealed_text.read_json(folder / RECORDS / unit / "unit.json")


def ordered(table):
    return table.sort_values(rows.MEASURED_AT).reset_index(drop=True)


def logged(folder, unit, name):
    return (folder / ".evidence/logs" / unit / f"{name}.txt").read_text()
