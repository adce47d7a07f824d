"""The runner of the evidence on a tiny study in a repository of its own, and in a clone of it.

Slow (about two minutes): trainings are killed, stopped, moved, adopted and measured again for real.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipeline import rows, sealed_text

ROOT = Path(__file__).parents[1]
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
  outputs: {method: outputs}
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
    return run(folder, sys.executable, "-m", "pipeline.evidence", *words, check=check)


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
        [sys.executable, "-m", "pipeline.evidence", "run"],
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
    return table.sort_values(rows.OWN).reset_index(drop=True)


def logged(folder, unit, name):
    return (folder / ".evidence/logs" / unit / f"{name}.txt").read_text()


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A repository, the commit at which the first unit begins, and what was said on the way.

    Its runner meets a second one, is killed in the middle of a training, goes on, is stopped, sees
    the code change, and goes on to the end.
    """
    folder = tmp_path_factory.mktemp("evidence") / "repository"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("src", "pipeline"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name, text in (("studies/tiny.yaml", STUDY), (RECORDS / "plan.yaml", PLAN)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / ".gitignore").write_text("/.evidence/\n__pycache__/\n")
    run(folder, "git", "init", "--quiet")
    found = {"folder": folder, "commit": commit(folder, "first")}

    killed, training = begun(folder)
    found["second"] = evidence(folder, "run", check=False)
    found["status"] = evidence(folder, "status")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    training.resume()  # it sees that its runner has died
    runner, training = begun(folder)
    found["stop"] = evidence(folder, "stop")
    found["stopped"] = (runner.wait(), runner.stdout.read())
    assert not training.is_running()
    assert not (folder / RESULTS / STANDARD / "model.safetensors").exists(), "it was not stopped"

    code = "from pipeline.evidence import checkouts, plan, unfinished; from pathlib import Path;"
    code += f"unit = plan.one({STANDARD!r}); checkout = checkouts.at({found['commit']!r});"
    code += "print(unfinished.keep(unit, checkout, Path('.evidence/log')))"
    found["kept"] = run(folder, sys.executable, "-c", code)
    shutil.copytree(folder / RECORDS, found.setdefault("unfinished", folder.parent / "unfinished"))
    with (folder / "src/robustinfo/training.py").open("a") as file:
        file.write("\nMEANT = 'something else'\n")
    found["later"] = commit(folder, "the code changes and an unfinished training is kept")
    found["said"] = evidence(folder, "run")
    return found


def test_a_killed_and_a_stopped_training_go_on_where_they_were(first):
    log = logged(first["folder"], STANDARD, "pretrain-standard-0")
    assert "epoch 1/" in log and "epoch 21/" not in log  # 21 are left at the beginning
    assert "starts again" not in log
    assert len(rows.read(first["folder"] / RECORDS / STANDARD / "rows.csv").epoch.unique()) == 22


def test_a_second_runner_is_refused_and_told_what_to_do(first):
    assert f"another runner is at work, at {STANDARD}" in first["second"]
    assert "python -m pipeline.evidence stop" in first["second"]
    assert "Traceback" not in first["second"]


def test_the_status_says_what_is_at_work_and_what_is_left(first):
    at_work, waiting, left = first["status"].splitlines()
    assert at_work.startswith("at work") and at_work.endswith(STANDARD)
    assert waiting.startswith("waiting") and waiting.endswith(ENTROPIC)
    assert left.startswith("about 0.0 core hours left")


def test_a_stopped_runner_ends_well_and_without_its_programs(first):
    status, said = first["stopped"]
    assert status == 0 and "goes on where it was" in said and "stopped" in first["stop"]
    assert evidence(first["folder"], "stop") == "no runner is at work\n"


def test_a_unit_belongs_to_the_commit_at_which_it_began(first):
    standard, entropic = (record(first["folder"], one) for one in (STANDARD, ENTROPIC))
    assert {standard[half]["commit"] for half in ("training", "measuring")} == {first["commit"]}
    assert {entropic[half]["commit"] for half in ("training", "measuring")} == {first["later"]}
    assert f"git add {RECORDS / STANDARD}" in first["said"]
    assert standard["scale"] == {
        "training_images": 400, "evaluation_images": 20, "epochs": 20, "batch_size": 5,
    }  # fmt: skip


def test_the_outcomes_of_every_image_can_be_read_back(first):
    folder = first["folder"] / RECORDS / ENTROPIC
    outcomes = rows.read(folder / "outcomes.csv").set_index("entry")
    table = rows.read(folder / "rows.csv")
    clean = table[(table.entry == "clean") & (table.quantity == "accuracy")].value.item()
    assert f"{int(outcomes.correct_bits['clean'], 16):b}".count("1") == round(20 * clean)
    assert outcomes.loc["clean", "n"] == 20


def test_a_finished_unit_is_not_planned_again_but_named_where_its_meaning_changed(first):
    folder = first["folder"]
    before = (folder / RECORDS / STANDARD / "unit.json").read_bytes()
    assert evidence(folder, "run") == "every unit of the list is finished\n"
    assert (folder / RECORDS / STANDARD / "unit.json").read_bytes() == before
    page = (folder / RECORDS / "README.md").read_text().splitlines()
    standard, entropic = (
        next(one for one in page if f"[{u}]" in one) for u in (STANDARD, ENTROPIC)
    )
    assert "training: src/robustinfo/training.py" in standard and entropic.endswith("| nothing |")


def test_an_altered_record_is_refused_by_name(first):
    file = first["folder"] / RECORDS / ENTROPIC / "outcomes.csv"
    before = file.read_bytes()
    file.write_bytes(before.replace(b"clean", b"clear"))
    said = evidence(first["folder"], "page", check=False)
    file.write_bytes(before)
    assert f"{ENTROPIC}/outcomes.csv is not as the unit was finished" in said


def test_a_unit_does_not_begin_with_a_study_that_is_not_committed(first):
    folder = first["folder"]
    study = folder / "studies/tiny.yaml"
    aside = shutil.move(folder / RECORDS / ENTROPIC, folder.parent / "aside")
    study.write_text(STUDY.replace("factor: 1.65", "factor: 1.5"))
    said = evidence(folder, "run", check=False)
    study.write_text(STUDY)
    shutil.rmtree(folder / RECORDS / ENTROPIC, ignore_errors=True)
    shutil.move(aside, folder / RECORDS / ENTROPIC)
    assert "studies/tiny.yaml is not as it was committed" in said and "Traceback" not in said


@pytest.fixture(scope="module")
def clone(first):
    """A clone without what is local: an unfinished training goes on, another is adopted."""
    folder = first["folder"].parent / "clone"
    run(first["folder"], "git", "clone", "--quiet", str(first["folder"]), str(folder))
    trained = first["folder"] / RESULTS / ENTROPIC
    adopt = ["adopt", ENTROPIC, str(trained), "--trained-by", first["commit"][:12]]
    return {"folder": folder, "adopted": evidence(folder, *adopt), "said": evidence(folder, "run")}


def test_an_unfinished_training_goes_on_in_a_clone_to_the_same_bits(first, clone):
    here, there = (record(one["folder"], STANDARD) for one in (first, clone))
    assert here["checkpoint"]["sha256"] == there["checkpoint"]["sha256"]
    assert "unfinished" in first["kept"]
    one, other = (rows.read(x["folder"] / RECORDS / STANDARD / "rows.csv") for x in (first, clone))
    assert ordered(one).equals(ordered(other))
    snapshots = {file.name for file in (clone["folder"] / RESULTS / STANDARD).glob("snapshots/*")}
    assert "epoch_0000.safetensors" not in snapshots  # its measures were brought along
    assert not (clone["folder"] / RECORDS / STANDARD / "unfinished").exists()


def test_an_adopted_network_is_measured_and_not_trained(first, clone):
    found = record(clone["folder"], ENTROPIC)
    assert found["training"]["commit"] == first["commit"] and found["training"]["adopted"]
    assert found["measuring"]["commit"] == first["later"]
    assert (
        f"{ENTROPIC}: retrain" not in clone["said"] and f"{ENTROPIC}: attack fgsm" in clone["said"]
    )
    assert found["checkpoint"] == record(first["folder"], ENTROPIC)["checkpoint"]


def test_a_network_of_another_defence_is_not_adopted(first, clone):
    """Nor one whose unit is finished."""
    trained = str(first["folder"] / RESULTS / ENTROPIC)
    said = evidence(
        clone["folder"], "adopt", ENTROPIC, trained, "--trained-by", "HEAD", check=False
    )
    assert "is finished or under way" in said
    aside = shutil.move(clone["folder"] / RECORDS / STANDARD, first["folder"].parent / "other")
    words = ["adopt", STANDARD, trained, "--trained-by", "HEAD"]
    said = evidence(clone["folder"], *words, check=False)
    shutil.move(aside, clone["folder"] / RECORDS / STANDARD)
    assert "is of the defence {'method': 'entropic'" in said and "Traceback" not in said


def test_a_committed_network_is_measured_again_when_asked(first, clone):
    """Where its snapshots are gone, their measures stay those that were committed."""
    folder = clone["folder"]
    shutil.rmtree(folder / ".evidence")
    before = rows.read(folder / RECORDS / STANDARD / "rows.csv")
    later = commit(folder, "the records")
    evidence(folder, "remeasure", STANDARD)
    found = record(folder, STANDARD)
    assert found["training"]["commit"] == first["commit"]
    assert found["measuring"]["commit"] == later
    assert found["measuring"]["snapshots_measured_by"] == first["commit"]
    after = rows.read(folder / RECORDS / STANDARD / "rows.csv")
    assert ordered(before).equals(ordered(after))
