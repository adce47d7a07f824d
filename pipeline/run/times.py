"""When a job ran: a record beside its lock (.snakemake/jobs), of the files that it wrote.

It stands apart from the results, which are the same bytes on every machine, and counts only for
those bytes: after ``dvc pull`` the results of another machine have no time here. Of a job that went
on after an interruption, it is the time of the process that finished it.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pipeline.run.job import Job
from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write

FILE = "times.json"


class Times(NamedTuple):
    """Start and end, in seconds since 1970, by the clock of the machine that ran the job."""

    start: float
    end: float


def folder(stage: str, study: str, names: Mapping[str, str]) -> Path:
    """Folder of a job's lock and times; every name is a folder, so that no two jobs share one."""
    return Path(".snakemake/jobs", stage, study, *names.values())


def write(job: Job, times: Times) -> None:
    """Record the times of a finished job; a disk that refuses costs the record alone."""
    files = {str(path): digest(path) for path in job.writes.values() if path.is_file()}
    with (
        suppress(UserError),
        atomic_write(folder(job.stage, job.study, job.names) / FILE) as partial,
    ):
        partial.write_text(json.dumps(times._asdict() | {"files": files}, indent=1) + "\n")


def read(place: Path, digests: Mapping[str, str]) -> Times | None:
    """Times of the job of a folder; None if there are none, or they are of other files.

    digests: {path: sha256} of files as they are now; paths that the job did not write are ignored.
    """
    try:
        record = json.loads((place / FILE).read_text())
        times = Times(float(record["start"]), float(record["end"]))
        written = {path: record["files"][path] for path in record["files"].keys() & digests.keys()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    same = all(digests[path] == sha256 for path, sha256 in written.items())
    return times if written and same and times.start <= times.end else None


def digest(path: Path) -> str:
    """Sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
