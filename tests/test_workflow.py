"""The whole house on a small study in a checkout of its own: both workflow tools, faults, resuming.

Slow (about two minutes): every stage of the pipeline runs for real, once.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from pipeline.results import rows
from pipeline.study.strict_yaml import read
from tests.checkouts import DVC, ROOT, commit_all, copy_tree, run, write

pytestmark = pytest.mark.slow

RUN = "results/small/digits/lenet5/{defence}/0"
NOTHING = "Nothing to be done"


BASE = "studies/base.yaml"
INHERITED = ("snapshot_attacks", "distortions", "learning", "toys", "tables", "figures")


def small():
    """The quickstart with one seed, two defences, two attacks and a few images."""
    study, _ = read(ROOT / "params.yaml")
    few = {"epochs": 2, "batch_size": 64, "learning_rate": 0.001, "snapshot_every": 1}
    attacks = {
        name: study["attacks"][name] for name in ("fgsm", "linf_noise", "linf_pgd", "adaptive")
    }
    attacks["linf_pgd"] |= {"steps": 2}
    attacks["adaptive"] |= {"steps": 2, "step_size": {"per": {"digits": 0.1}}}
    entries = {"measures": study["measures"], "complexities": study["complexities"]}
    levels = {"zero_gradients": {"method": "zero_gradients", "epsilon": 0.15}}
    levels["epsilon_curve"] = {
        "method": "attack_accuracy",
        "steps": 2,
        "sweep": {"epsilon": [0.0, 1.0]},
    }
    noises = {name: study["distortions"][name] for name in ("linf_noise", "l2_noise")}
    return study | entries | {
        "name": "small",
        "seeds": [0],
        "defences": {name: study["defences"][name] for name in ("standard", "entropic")},
        "pretrain": {"standard": few | {"epochs": 4}},
        "retrain": {"entropic": few},
        "attacks": attacks,
        "evaluation_images": 60,
        "snapshot_attacks": {"fgsm": attacks["fgsm"]},
        "distortions": noises | {"jpeg": {"method": "jpeg", "sweep": {"quality": [5, 50]}}},
        "learning": {
            "jpeg_retrained": {
                "method": "retrained",
                "distortion": {"method": "jpeg", "sweep": {"quality": [20]}},
                "training": few,
            }
        },
        "diagnostics": levels,
        "toys": {"boolean_equality": study["toys"]["boolean_equality"]},
        "tables": {"table-noise": study["tables"]["table-noise"]},
        "figures": {"figure-entropy": study["figures"]["figure-entropy"]},
        "claims": {},
    }  # fmt: skip


def planned(folder, *options):
    """{rule: how many of its jobs} that Snakemake would run."""
    text = run(folder, "snakemake", "--dry-run", *options)
    table = text.partition("Job stats:")[2].partition("total")[0]
    return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", table, re.M) if rule != "all"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A clone of this tree with the small study as its params.yaml, after one whole run."""
    folder = tmp_path_factory.mktemp("workflow") / "checkout"
    copy_tree(folder)
    study = small()
    write(folder / BASE, study)
    write(
        folder / "params.yaml",
        {"extends": BASE} | {key: one for key, one in study.items() if key not in INHERITED},
    )
    run(folder, *DVC, "generate")
    commit_all(folder)
    print(run(folder, "snakemake", "--cores", "all"))
    return folder


def test_the_study_ends_in_a_verdict_tables_figures_and_a_report(checkout):
    results = checkout / "results/small"
    verdicts = rows.read(results / "verdict.csv")
    assert len(verdicts) == 2 and "entropic" in {*verdicts.defence}
    checks = rows.read(results / "checks.csv")
    adaptive = checks[checks.check == "adaptive_only_fraction"]
    assert len(adaptive) == 2 and "not run" not in {*adaptive.result}
    assert ",".join(rows.read(results / "tables/table-noise.csv")) == (
        "row,column,paper,ours,low,high,unit,scope,n,seeds,by_seed,difference,saturated,"
        "smaller_than_paper"
    )
    assert (results / "figures/figure-entropy.svg").exists()
    page = (results / "report.html").read_text()
    # The study's figure, the two of its setting, and E_N; no estimate of information is believed.
    assert page.count("<svg") == 1 + 2 + 1
    assert not re.search(r'(?:src=|<link[^>]*href=)"http', page)  # opens offline
    assert (results / "figures/figure-entropy.pdf").read_bytes().startswith(b"%PDF")
    assert "jobs took" in page and "at commit" in page
    board = json.loads((results / "leaderboard.json").read_text())
    assert {line["defence"] for line in board} == {"standard", "entropic"}
    gallery = rows.read(results / "gallery/digits/lenet5.csv")
    assert len(gallery) == 2 * 4  # two defences, four images
    assert json.loads((results / "metrics.json").read_text())["digits/lenet5/linf"]["standard"]


def test_afterwards_neither_tool_has_anything_to_do(checkout):
    assert NOTHING in run(checkout, "snakemake", "--dry-run")
    assert "up to date" in run(checkout, "dvc", "status")
    assert "up to date" in run(checkout, "dvc", "repro", "--dry")


def test_comments_and_docstrings_run_nothing_again(checkout):
    files = ["pipeline/run/job.py", "pipeline/run/contract.py", "pipeline/stages/attack.py"]
    files += ["src/robustinfo/core/files.py", "src/robustinfo/attacks/fgsm.py"]
    before = {file: (checkout / file).read_text() for file in files}
    for file, text in before.items():
        (checkout / file).write_text("# a comment\n" + text.replace('"""', '"""Edited. ', 1))
    said, ran = run(checkout, "snakemake", "--dry-run"), run(checkout, "dvc", "repro")
    for file, text in before.items():
        (checkout / file).write_text(text)
    run(checkout, "dvc", "repro")
    assert NOTHING in said
    assert re.findall(r"Running stage '(.*)'", ran) == ["jobs"]


def test_one_more_attack_is_one_file_and_one_line(checkout):
    params, mine = checkout / "params.yaml", checkout / "src/robustinfo/attacks/mine.py"
    before = params.read_text()
    content, _ = read(params)
    content["attacks"]["mine"] = {"method": "mine", "epsilon": "8/255"}
    write(params, content)
    shutil.copy(mine.with_name("fgsm.py"), mine)
    again = planned(checkout)
    run(checkout, "snakemake", RUN.format(defence="standard") + "/attacks/mine.csv")
    found = (checkout / RUN.format(defence="standard") / "attacks/mine.csv").read_text()
    mine.unlink()
    params.write_text(before)
    for file in (checkout / RUN.format(defence="standard") / "attacks").glob("mine.*"):
        file.unlink()
    run(checkout, *DVC, "generate")
    assert again["attack"] == 2 and "pretrain" not in again
    assert "attack,mine,,,,,attack_success_rate," in found


def test_one_changed_number_is_the_same_plan_for_both_tools(checkout):
    file = checkout / "params.yaml"
    before = file.read_text()
    content, _ = read(file)
    content["attacks"]["fgsm"]["epsilon"] = 0.07
    write(file, content)
    by_snakemake = planned(checkout)
    by_dvc = outdated(checkout)
    file.write_text(before)
    assert by_snakemake == by_dvc
    assert by_dvc["attack"] == 2


def test_an_edited_attack_is_the_same_plan_for_both_tools(checkout):
    file = checkout / "src/robustinfo/attacks/fgsm.py"
    before = file.read_text()
    file.write_text(before + "\nEDITED = True\n")
    by_snakemake, by_dvc = planned(checkout), outdated(checkout)
    file.write_text(before)
    assert by_snakemake == by_dvc
    assert by_dvc["attack"] == 2  # fgsm on two runs; no noise
    assert not {"pretrain", "retrain", "distort", "toy"} & {*by_dvc}


def outdated(folder):
    """{stage: how many of its jobs} that DVC would run, after its first stage."""
    code = (
        "import json; from pipeline.tracking.dvc import stale_stages, stages, write_jobs;"
        "write_jobs();"
        "print(json.dumps(sorted(stale_stages(stages()))))"
    )
    names = json.loads(run(folder, sys.executable, "-c", code).splitlines()[-1])
    return dict(Counter(name.partition("/")[0] for name in names))


def test_plain_repro_runs_what_an_inherited_value_changes_and_nothing_else(checkout):
    file = checkout / BASE
    before = file.read_text()
    study, _ = read(file)
    study["distortions"]["linf_noise"]["epsilon"] = 0.1
    write(file, study)
    expected = planned(checkout)
    ran = run(checkout, "dvc", "repro")
    adopted = run(checkout, *DVC, "adopt")
    after = run(checkout, "snakemake", "--dry-run")
    file.write_text(before)
    again = run(checkout, "dvc", "repro")
    run(checkout, *DVC, "adopt")
    names = [name.partition("/")[0] for name in re.findall(r"Running stage '(.*)'", ran)]
    assert names.count("jobs") == 1 and expected["distort"] == names.count("distort") == 2
    # What reads a table that came out the same does not run again.
    assert {*names} - {"jobs"} <= {*expected} and "attack" not in expected
    assert re.search(r"adopted (\d+) of", adopted) and NOTHING in after
    assert "is cached" in again and "Running stage 'distort" not in again


def test_a_clone_pulls_and_adopts_and_has_nothing_to_do(checkout):
    run(checkout, "dvc", "push", "--quiet")
    run(checkout, "git", "add", "dvc.lock")
    run(checkout, "git", "commit", "--quiet", "--message", "results")
    clone = checkout.parent / "clone"
    run(checkout, "git", "clone", "--quiet", str(checkout), str(clone))
    run(clone, "dvc", "pull", "--quiet")
    said = run(clone, *DVC, "adopt")
    assert re.search(r"adopted (\d+) of \1 jobs", said)
    assert NOTHING in run(clone, "snakemake", "--dry-run")
    assert "up to date" in run(clone, "dvc", "status")


@pytest.mark.parametrize("file", ["model.safetensors", "snapshots/epoch_0001.safetensors"])
def test_an_altered_checkpoint_is_refused_by_name(checkout, file):
    path = checkout / RUN.format(defence="entropic") / file
    before, mode = path.read_bytes(), path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(before[:-5] + bytes([before[-5] ^ 1]) + before[-4:])
    stage = {"model.safetensors": "distort"}.get(file, "measure")
    names = "--dataset digits --model lenet5 --defence entropic --seed 0".split()
    command = [sys.executable, "-m", "pipeline", "stage", stage, "--study", "params.yaml", *names]
    said = run(checkout, *command, check=False)
    path.write_bytes(before)
    path.chmod(mode)
    assert f"{file} is not as it was written" in said and "Traceback" not in said


def test_a_second_snakemake_is_told_that_the_first_is_at_work(checkout):
    first = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--forcerun", "distort"],
        cwd=checkout, env=os.environ | {"ROBUSTINFO_DATA": str(checkout.parent / "data")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    locks = checkout / ".snakemake/locks"
    while not any(locks.glob("*.lock")):
        assert first.poll() is None
        time.sleep(0.1)
    said = run(checkout, "snakemake", "--forcerun", "distort", check=False)
    assert first.wait() == 0
    assert "another Snakemake is at work here: process" in said


def test_a_killed_training_goes_on_to_the_same_bits(checkout):
    model = checkout / RUN.format(defence="standard") / "model.safetensors"
    before = model.read_bytes()
    names = "--dataset digits --model lenet5 --defence standard --seed 0".split()
    command = [sys.executable, "-m", "pipeline", "stage", "pretrain"]
    command += ["--study", "params.yaml", *names]
    environment = os.environ | {"ROBUSTINFO_DATA": str(checkout.parent / "data")}
    environment["PYTHONPATH"] = str(checkout / "src")
    killed = subprocess.Popen(command, cwd=checkout, env=environment)
    second = model.parent / ".training/snapshots/epoch_0002.safetensors"
    while not second.exists():
        assert killed.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    model.unlink()
    said = run(checkout, *command)
    assert "epoch 4/4" not in said  # it did not start from the beginning
    assert model.read_bytes() == before
    assert not (model.parent / ".training").exists()
