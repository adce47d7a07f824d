"""Checkouts of this tree in folders of their own, with a small study as their params.yaml."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
DVC = (sys.executable, "-m", "pipeline", "dvc")
SNAKEMAKE = (sys.executable, "-m", "snakemake")


def copy_tree(folder: Path) -> None:
    """Copy what git knows of this tree, or would, as it is now; DVC's record of results is left."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def commit_all(folder: Path) -> None:
    """Make it a git repository with one commit."""
    run(folder, "git", "init", "--quiet")
    run(folder, "git", "config", "user.email", "test@example.org")
    run(folder, "git", "config", "user.name", "test")
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--message", "small study")


def settings(folder: Path, **extra: str) -> dict[str, str]:
    """Environment of the checkout's commands: its code, data and MLflow's store beside it."""
    return (
        os.environ
        | {
            "PYTHONPATH": str(folder / "src"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "ROBUSTINFO_DATA": str(folder.parent / "data"),
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder.parent}/mlflow.db",
        }
        | extra
    )


def run(folder: Path, *command: str, check: bool = True, **extra: str) -> str:
    """What a command says in the checkout. check: it has to succeed."""
    done = subprocess.run(
        command, cwd=folder, env=settings(folder, **extra), capture_output=True, text=True
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def write(file: Path, study: dict[str, Any]) -> None:
    """Write a study."""
    with file.open("w") as handle:
        YAML(typ="safe", pure=True).dump(study, handle)
