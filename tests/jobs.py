"""Jobs of small studies, as the command line makes them, in a folder of their own."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.run import start
from pipeline.run.job import Job
from pipeline.study.extends import read_study

SMALL = Path(__file__).with_name("small.yaml")
NAMES = {"dataset": "d", "model": "m", "defence": "x", "seed": "0"}  # of its one run
STANDARD = {"method": "standard", "loss": {"method": "cross_entropy"}}


def settle(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Go there. The code is there, too: a stage looks at what it runs; so are the references."""
    for name in ("src", "pipeline", "studies"):
        if not (folder / name).exists():
            (folder / name).symlink_to(Path(name).absolute())
    patch.chdir(folder)


def default(**sections: Any) -> dict[str, Any]:
    """The study of params.yaml with other sections; nobody checks it."""
    return read_study(Path("params.yaml"))[0] | sections


def small(**sections: Any) -> dict[str, Any]:
    """The study of small.yaml, of one run, with other sections; nobody checks it."""
    return read_study(SMALL)[0] | sections


def made(study: dict[str, Any], stage: str, **names: str) -> Job:
    """The job of a stage."""
    return start.build_job(study, stage, names)


def of_run(job: Job, role: str, name: str, **names: str) -> Path:
    """The file of this name that a job reads in a role, of the run that has these names."""
    (path,) = (one.path for one in job.files(role, **names) if one.path.name == name)
    return path
