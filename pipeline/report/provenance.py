"""When, from what and on what a study was computed, as far as it is recorded.

When each job ran is recorded on the machine that ran it (pipeline/run/times.py). The commit, the
machine and the versions are those of the moment at which the page is written. Nothing of it changes
a result, and a page that is written again differs from the first in these lines alone.
"""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pipeline.run import repository
from pipeline.run.times import Times, of_study
from robustinfo.evaluation.display.numbers import duration
from robustinfo.evaluation.versions import versions


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
    times = sorted(of_study(study))
    computed = cost = ""
    if times:
        first, last = min(start for start, _ in times), max(end for _, end in times)
        computed = (
            _date(first) if _date(first) == _date(last) else f"{_date(first)} to {_date(last)}"
        )
        busy, wall = sum(end - start for start, end in times), _covered(times)
        jobs = f"{len(times)} job{'s' * (len(times) > 1)}"
        cost = f"{jobs} took {duration(busy)} one by one, {duration(wall)} as they ran"
    return Provenance(
        computed,
        cost,
        _date(datetime.now(UTC).timestamp()),
        _commit(),
        f"{os.cpu_count()} cores, {_processor()}, {platform.system()}",
        ", ".join(f"{name} {number}" for name, number in versions().items()),
    )


def _covered(times: list[Times]) -> float:
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
    commit = repository.commit()[:7]
    return f"{commit}, with changes" if commit and repository.is_changed() else commit


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
