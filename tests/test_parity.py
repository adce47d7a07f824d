"""Snakefile and dvc.yaml describe the same jobs: command, data inputs, outputs, parameter keys."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from pipeline.run import paths
from pipeline.run.code import closure, code
from pipeline.study.check import load
from pipeline.study.slices import slices

SHELL = re.compile(r"^Shell command: (.*)$", re.M)
FILES = re.compile(r"^ +(?:input|output): (.*)$", re.M)
LOG = re.compile(r"\s*> \S+ 2>&1$")
OPTION = re.compile(r"--(\w+) (\S+)")

# What the default study has no use for: a selection of layers, transfers, learning, detection.
ON_A_LAYER = "{method: ib_rar, base: {method: standard, loss: {method: cross_entropy}}"
TRAINING = "{epochs: 1, batch_size: 64, learning_rate: 0.001, snapshot_every: 1}"
MORE = {
    "\n# How each": f"  on_conv1: {ON_A_LAYER}, masked_share: 0.0, layers: [conv1]}}\n"
    f"  chosen: {ON_A_LAYER}, masked_share: 0.0}}\n\n# How each",
    "\nretrain:\n": f"\n  on_conv1: {TRAINING}\nretrain:\n",
    "selection: {settings: [], compared: []}": "selection: {settings: [{dataset: digits, "
    "model: lenet5}], compared: [standard, on_conv1], attack: linf_pgd}",
    "train_selected: {}": f"train_selected: {{chosen: {TRAINING}}}",
    "transfers: []": "transfers: [{defence: chosen, proxy: standard}]",
    "detection: {}": "detection: {fgsm: {method: fgsm, sweep: {epsilon: [0.1, 0.2]}}}",
    "learning: {}": "learning: {fit: {method: fitting, attacks: [fgsm], "
    f"test_share: 0.5, training: {TRAINING}}}}}",
}


def is_code(path):
    """Snakemake names every .py file that a job runs, DVC the folders."""
    return path.endswith(".py") or path in ("pipeline", "src/robustinfo")


def covers(dependency, file):
    return file == dependency or file.startswith(f"{dependency}/")


def keys(command):
    """The parameter keys of a command, as ``pipeline.run.paths`` promises them."""
    names = dict(OPTION.findall(command))
    stage = command.split()[4]
    return paths.keys(stage, **names)


@pytest.fixture(scope="module", params=["the default study", "one with every stage"])
def root(request, tmp_path_factory):
    """A folder with both workflow files and a study."""
    if request.param == "the default study":
        return Path().resolve()
    folder = tmp_path_factory.mktemp("parity")
    for name in ("pipeline", "src", "studies", "profiles"):
        (folder / name).symlink_to(Path(name).resolve())
    for name in ("Snakefile", "dvc.yaml"):
        shutil.copy(name, folder)
    text = Path("params.yaml").read_text()
    for old, new in MORE.items():
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "params.yaml").write_text(text)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def snakemake_jobs(root):
    """{command: (inputs, outputs)}, of results only: code is a matter of the workflow tool."""
    dry = [sys.executable, "-m", "snakemake", "--dry-run", "--forceall", "--printshellcmds"]
    text = subprocess.run(dry, check=True, capture_output=True, text=True, cwd=root)
    jobs = {}
    for block in (text.stdout + text.stderr).split("\n["):
        shell = SHELL.search(block)
        if shell and shell[1] != "None":  # a rule that only gathers files
            files = [set(found[1].split(", ")) for found in FILES.finditer(block)]
            inputs, outputs = files if len(files) == 2 else (set(), files[0])
            inputs = {file for file in inputs if not is_code(file)}
            jobs[LOG.sub("", shell[1])] = (inputs, outputs)
    return jobs


@pytest.fixture(scope="module")
def dvc_jobs(root):
    """{command: (dependencies, outputs, parameter keys)}"""
    jobs = {}
    with Repo(str(root)) as repo:
        for stage in repo.index.stages:
            files = {d.def_path for d in stage.deps if not is_code(d.def_path)} - {"params.yaml"}
            read = sorted(key for d in stage.deps for key in getattr(d, "params", []))
            jobs[" ".join(stage.cmd.split())] = (files, {o.def_path for o in stage.outs}, read)
    return jobs


def test_the_commands_are_the_same(snakemake_jobs, dvc_jobs):
    assert set(snakemake_jobs) == set(dvc_jobs)


def test_the_outputs_are_the_same(snakemake_jobs, dvc_jobs):
    for command, (_, outputs) in snakemake_jobs.items():
        assert outputs == dvc_jobs[command][1], command


def test_the_inputs_are_the_same(snakemake_jobs, dvc_jobs):
    """DVC names folders where a list of files cannot be written in its templates."""

    for command, (inputs, _) in snakemake_jobs.items():
        dependencies = dvc_jobs[command][0]
        for file in inputs:
            assert any(covers(d, file) for d in {*dependencies, "pipeline"}), (command, file)
        for dependency in dependencies:
            assert any(covers(dependency, file) for file in inputs), (command, dependency)


def test_the_parameter_keys_are_those_that_the_stage_may_read(dvc_jobs):
    for command, (_, _, read) in dvc_jobs.items():
        assert read == keys(command), command


def test_dvc_sees_all_code_that_a_stage_can_run():
    with Repo() as repo:
        for stage in repo.index.stages:
            name = stage.cmd.split()[4]
            program = f"pipeline/{paths.PROGRAMS.get(name, name)}.py"
            folders = [d.def_path for d in stage.deps]
            for file in closure(program):
                assert any(covers(folder, file) for folder in folders), (stage.addressing, file)


def test_snakemake_sees_the_method_of_every_entry_that_a_job_reads():
    study = load(Path("params.yaml"))
    names = {"dataset": "digits", "model": "lenet5", "defence": "entropic", "attack": "bim"}
    for stage, methods in {
        "prepare": ["datasets/digits"],
        "retrain": ["models/lenet5", "defences/entropic", "losses/cross_entropy"],
        "attack": ["attacks/bim"],
        "measure": ["measures/kde_information", "attacks/fgsm"],
        "complexity": ["complexities/png_size"],
        "distort": ["distortions/jpeg"],
        "diagnose": ["diagnostics/attack_accuracy"],
    }.items():
        files = code(stage, slices(study, stage, names))
        for method in methods:
            assert f"src/robustinfo/{method}.py" in files, (stage, method)
