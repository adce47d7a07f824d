"""Jobs of small studies, as the command line makes them, in a folder of their own."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.run import start
from pipeline.run.job import Job
from pipeline.study.extends import EMPTY, read_study

NAMES = {"dataset": "d", "model": "m", "defence": "x", "seed": "0"}  # of ``small``
STANDARD = {"method": "standard", "loss": {"method": "cross_entropy"}}


def settle(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Go there; the project's code and references are there, too."""
    for name in ("src", "pipeline", "studies"):
        if not (folder / name).exists():
            (folder / name).symlink_to(Path(name).absolute())
    patch.chdir(folder)


def default(**sections: Any) -> dict[str, Any]:
    """The study of params.yaml with other sections; nobody checks it."""
    return read_study(Path("params.yaml"))[0] | sections


def small(**sections: Any) -> dict[str, Any]:
    """A study of one network, one defence and one seed, with other sections; nobody checks it."""
    one = {"name": "s", "settings": [{"dataset": "d", "model": "m"}], "seeds": [0], "attacks": {}}
    one |= {"datasets": {"d": {"method": "digits"}}, "models": {"m": {"method": "lenet5"}}}
    one |= {"defences": {"x": STANDARD}, "pretrain": {"x": {"epochs": 1}}}
    return EMPTY | one | {"verdict": {"twin": "x"}} | sections


def made(study: dict[str, Any], stage: str, **names: str) -> Job:
    """The job of a stage."""
    return start.of(study, stage, names)


def of_run(job: Job, role: str, name: str, **names: str) -> Path:
    """The file of this name that a job reads in a role, of the run that has these names."""
    (path,) = (one.path for one in job.files(role, **names) if one.path.name == name)
    return path
