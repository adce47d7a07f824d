"""When, from what and on what a study was computed, as far as it is recorded.

Snakemake records when each job began and ended (``.snakemake/metadata``); DVC does not. The commit,
the machine and the versions are those of the moment at which the page is written. Nothing of it
changes a result, and a page that is written again differs from the first in these lines alone.
"""

import base64
import json
import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from robustinfo.evaluation.display.numbers import duration

RECORDS = Path(".snakemake/metadata")
PACKAGES = ("robustinfo", "torch", "numpy")


class Provenance(NamedTuple):
    """Of a study; a text is empty where nothing is recorded."""

    computed: str  # when its jobs ran
    cost: str
    written: str
    commit: str
    machine: str
    versions: str


def provenance(study: str) -> Provenance:
    """What is recorded of the results in ``results/{study}/``."""
    times = {(start, end) for start, end in _times(f"results/{study}/")}
    computed = cost = ""
    if times:
        first, last = min(start for start, _ in times), max(end for _, end in times)
        computed = (
            _date(first) if _date(first) == _date(last) else f"{_date(first)} to {_date(last)}"
        )
        busy, wall = sum(end - start for start, end in times), _covered(sorted(times))
        cost = f"{len(times)} jobs took {duration(busy)} one by one, {duration(wall)} as they ran"
    python = f"Python {platform.python_version()}"
    return Provenance(
        computed,
        cost,
        _date(datetime.now(UTC).timestamp()),
        _commit(),
        f"{os.cpu_count()} cores, {_processor()}, {platform.system()}",
        ", ".join([*(f"{name} {_version(name)}" for name in PACKAGES), python]),
    )


def _times(folder: str) -> Iterator[tuple[float, float]]:
    """(start, end) in seconds, of every recorded job that wrote into a folder."""
    for file in RECORDS.rglob("*") if RECORDS.is_dir() else ():
        if not file.is_file():
            continue
        name = "".join(part.removeprefix("@") for part in file.relative_to(RECORDS).parts)
        try:
            path = base64.b64decode(name, altchars=b"_-").decode()
            record = json.loads(file.read_text(encoding="utf-8"))
            times = float(record["starttime"]), float(record["endtime"])
        except (ValueError, KeyError, TypeError):  # of another version of Snakemake, or no record
            continue
        if path.startswith(folder) and Path(path).exists():
            yield times


def _covered(times: list[tuple[float, float]]) -> float:
    """Seconds in which at least one job ran. times: by their start."""
    total, until = 0.0, float("-inf")
    for start, end in times:
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _commit() -> str:
    """``0147ee5``, or that and ``with changes``; empty where there is no repository."""
    commit = _git("rev-parse", "--short", "HEAD")
    changes = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!dvc.lock")
    return f"{commit}, with changes" if commit and changes else commit


def _git(*arguments: str) -> str:
    try:
        ended = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.strip() if ended.returncode == 0 else ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
