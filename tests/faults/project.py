"""A folder with the project's code and the mini study, in which faults are made to happen."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
STUDY = "mini.yaml"
RUN = "results/mini/digits/lenet5/standard/0"
SNAKEMAKE = (sys.executable, "-m", "snakemake", "--cores", "1", "--config", f"study={STUDY}")


class Project:
    """Made in a folder that does not exist yet, or as a trial left it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not folder.exists():
            folder.mkdir(parents=True)
            for name in ("Snakefile", "profiles", "pipeline", "src", "studies"):
                (folder / name).symlink_to(ROOT / name)
            text = Path(__file__).with_name(STUDY).read_text("utf-8")
            (folder / STUDY).write_text(text, "utf-8")

    def copy(self, folder: Path) -> "Project":
        """Another one with all that has been made in this one."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "PYTHONPATH": f"{self.folder / 'src'}{os.pathsep}{self.folder}",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "ROBUSTINFO_DATA": str(self.folder / "data"),
            "MLFLOW_TRACKING_URI": f"sqlite:///{self.folder}/mlflow.db",
            "OMP_NUM_THREADS": "1",
        }

    def start(self, *command: str, **environment: str) -> subprocess.Popen:
        """A command in the folder, in a process group of its own; Snakemake if none is given."""
        return subprocess.Popen(
            command or SNAKEMAKE,
            cwd=self.folder,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, **environment: str) -> tuple[int, str]:
        """(exit code, all that was said) of a command."""
        process = self.start(*command, **environment)
        said, _ = process.communicate()
        return process.returncode, said

    def stage(self, name: str, *options: str) -> tuple[int, str]:
        return self.run(sys.executable, "-m", "pipeline", "stage", name, "--study", STUDY, *options)

    def files(self) -> dict[str, str]:
        """{path: sha256} of every file under results/ and data/."""
        found = [file for top in ("results", "data") for file in (self.folder / top).rglob("*")]
        return {
            str(file.relative_to(self.folder)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(found)
            if file.is_file()
        }

    def forget(self) -> None:
        """Delete the tables of the runs: a third of the jobs has to be done again."""
        for file in (self.folder / "results/mini/digits/lenet5").rglob("*.csv"):
            if file.name != "history.csv":
                file.unlink()

    def at_work(self) -> subprocess.Popen:
        """The command, after its first new table."""
        self.forget()
        process, before = self.start(), len(self.files())
        while process.poll() is None and len(self.files()) == before:
            time.sleep(0.1)
        assert process.poll() is None
        return process

    def planned(self) -> int:
        """How many jobs Snakemake would run."""
        _, said = self.run(*SNAKEMAKE, "--dry-run")
        totals = [line.split()[1] for line in said.splitlines() if line.startswith("total ")]
        return int(totals[0]) if totals else 0


def differing(found: dict[str, str], expected: dict[str, str]) -> list[str]:
    """Files that are missing, of other bytes, or too many."""
    names = sorted(found.keys() | expected.keys())
    return [name for name in names if found.get(name) != expected.get(name)]
