"""When a job ran: a record beside its lock (.snakemake/jobs), of the files that it wrote.

It stands apart from the results, which are the same bytes on every machine, and counts only for
those bytes: after ``dvc pull`` the results of another machine have no time here. Of a job that went
on after an interruption, it is the time of the process that finished it.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pipeline.run.digest import sha256
from pipeline.run.job import Job
from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write

ROOT = Path(".snakemake/jobs")
FILE = "times.json"


class Times(NamedTuple):
    """Start and end, in seconds since 1970, by the clock of the machine that ran the job."""

    start: float
    end: float


def folder(stage: str, study: str, names: Mapping[str, str]) -> Path:
    """Folder of a job's lock and times; every name is a folder, so that no two jobs share one."""
    return ROOT.joinpath(stage, study, *names.values())


def write(job: Job, times: Times) -> None:
    """Record the times of a finished job; a disk that refuses costs the record alone."""
    files = {str(path): sha256(path) for path in job.writes.values() if path.is_file()}
    with (
        suppress(UserError),
        atomic_write(folder(job.stage, job.study, job.names) / FILE) as partial,
    ):
        partial.write_text(json.dumps(times._asdict() | {"files": files}, indent=1) + "\n")


def read(place: Path, digests: Mapping[str, str]) -> Times | None:
    """Times of the job of a folder; None if there are none, or they are of other files.

    digests: {path: sha256} of files as they are now; paths that the job did not write are ignored.
    """
    times, files = _record(place / FILE) or (None, {})
    written = files.keys() & digests.keys()
    same = all(digests[path] == files[path] for path in written)
    return times if written and same else None


def of_study(study: str) -> Iterator[Times]:
    """Times of all recorded jobs of a study whose files are there; their bytes are not checked."""
    for file in ROOT.glob(f"*/{study}/**/{FILE}"):
        times, files = _record(file) or (None, {})
        if times is not None and all(Path(path).exists() for path in files):
            yield times


def _record(file: Path) -> tuple[Times, dict[str, str]] | None:
    """Times and {path: sha256} of a record; None if there is none, or it is no record."""
    try:
        content = json.loads(file.read_text())
        times = Times(float(content["start"]), float(content["end"]))
        files = dict(content["files"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return (times, files) if times.start <= times.end else None
