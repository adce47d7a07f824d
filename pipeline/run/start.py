"""Start one job: from its command line to the program of its stage, alone, with its driver."""

import argparse
import logging
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline.run import code, driver
from pipeline.run.job import Job
from pipeline.run.plan import Plan
from pipeline.study import checked
from pipeline.study.strict_yaml import StudyError
from robustinfo.core.errors import UserError


def start(words: Sequence[str]) -> None:
    """Run one job: ``attack --study params.yaml --dataset digits ...``.

    A known error ends the process with one line, not a traceback.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    driver.follow()
    try:
        stage, *options = words
        job = _asked(stage, options)
        with _alone(job):
            perform(job)
    except UserError as error:
        sys.exit(f"error: {error}")


def of(study: dict[str, Any], stage: str, names: dict[str, str]) -> Job:
    """One job of a checked study. Raises StudyError if it has none of these names."""
    plan = Plan(study)
    planned = plan.job(stage, names)
    params = plan.params(planned)
    files = plan.reads(planned), plan.writes(planned)
    digest = partial(code.digest, planned.contract, params)
    return Job(stage, study["name"], planned.names, params, *files, digest)


def perform(job: Job) -> None:
    """Run the job's program; leave empty what it would write of a network that nobody trained."""
    from pipeline.results import untrained

    models = job.reads.get("model", [])
    if "defence" in job.names and len(models) == 1 and untrained.is_untrained(models[0].path):
        untrained.leave_empty(job.writes.values())
    else:
        import_module(f"pipeline.stages.{job.stage}").run(job)


def _asked(stage: str, options: Sequence[str]) -> Job:
    parser = argparse.ArgumentParser(prog=f"python -m pipeline stage {stage}", add_help=False)
    parser.add_argument("--study", type=Path, required=True, help="the study file")
    known, rest = parser.parse_known_args(options)
    study = checked.load(known.study)
    if len(rest) % 2 or not all(word.startswith("--") for word in rest[::2]):
        raise StudyError(f"stage {stage} takes names as `--seed 0`; it was given {' '.join(rest)}")
    return of(
        study, stage, {word[2:]: value for word, value in zip(*[iter(rest)] * 2, strict=True)}
    )


def _alone(job: Job) -> FileLock:
    """A lock per job, so that an orphan of a killed run and its successor never interleave.

    Every name is a folder: joined by a letter that they may hold, two jobs would share a lock.
    """
    folder = Path(".snakemake/jobs", job.stage, job.study, *job.names.values())
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise StudyError(
            f"another process is at {job.stage} {job.names}; wait or stop it"
        ) from None
    return lock
