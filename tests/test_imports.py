"""A stage imports no package that it does not use, as each job pays where no server forks it."""

import subprocess
import sys
from pathlib import Path

# Packages whose import takes a tenth of a second or more, beside torch, which every job has.
SLOW = (
    "foolbox", "jinja2", "matplotlib", "mlflow", "pandas", "PIL", "requests", "rich",
    "scipy.optimize", "scipy.special", "scipy.stats", "sklearn", "snakemake", "torchvision",
)  # fmt: skip
TABLES = {"pandas"}
INTERVALS = {"pandas", "scipy.special"}
FIGURES = {"pandas", "scipy.special", "matplotlib", "PIL"}
TRAINING = {"pandas", "rich"}
IMPORTED = {
    "adopt": set(),
    "attack": TABLES,
    "attack_slice": set(),
    "claims": INTERVALS,
    "collect": INTERVALS,
    "complexity": INTERVALS,
    "detect": INTERVALS,
    "diagnose": INTERVALS,
    "distort": TABLES,
    "figure": FIGURES,
    "gallery": FIGURES,
    "leaderboard": INTERVALS,
    "learn": TABLES,
    "measure": INTERVALS | TRAINING,
    "overview": FIGURES,
    "prepare": set(),
    "pretrain": TRAINING,
    "remedies": INTERVALS,
    "report": {"foolbox", "pandas", "PIL", "requests", "scipy.special"},
    "retrain": TRAINING,
    "screen": TABLES,
    "select": TABLES,
    "stop_early": TRAINING,
    "table": INTERVALS,
    "toy": TABLES,
    "train_selected": TRAINING,
    "transfer": INTERVALS,
    "verdict": INTERVALS,
}
# Every stage in a fork of a process that has torch.
EACH = f"""
import importlib, os, sys
import torch

for name in {list(IMPORTED)!r}:
    if not os.fork():
        importlib.import_module("pipeline.stages." + name)
        print(name, *(one for one in {SLOW!r} if one in sys.modules), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, name
"""


def test_every_stage_imports_what_it_uses_and_no_more():
    assert IMPORTED.keys() == {file.stem for file in Path("pipeline/stages").glob("[!_]*.py")}
    ended = subprocess.run([sys.executable, "-c", EACH], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert {name: set(packages) for name, *packages in lines} == IMPORTED
