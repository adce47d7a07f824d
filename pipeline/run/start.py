"""Start of one job: from its command line to the program of its stage."""

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline.run import code, driver, times
from pipeline.run.job import Job
from pipeline.run.plan import Plan
from pipeline.study import checked
from pipeline.study.strict_yaml import StudyError
from robustinfo.core.errors import UserError, message_lines
from robustinfo.core.files import disk_errors

ORPHAN_SECONDS = 3  # in which a job ends whose driver was killed (driver.py), with room


def start(arguments: Sequence[str]) -> None:
    """Run one job: ``attack --study params.yaml --dataset digits ...``.

    A known error ends the process with one line, not a traceback.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # of every font in a PDF
    driver.exit_with_driver()
    try:
        stage, *options = arguments
        job = _parse_job(stage, options)
        with _lock(job):
            began = time.time()
            perform(job)
            times.write(job, times.Times(began, time.time()))
    except UserError as error:
        sys.exit(f"error: {message_lines(str(error))}")


def build_job(study: dict[str, Any], stage: str, names: dict[str, str]) -> Job:
    """A job of a checked study. Raises StudyError if the study has no job of these names."""
    plan = Plan(study)
    planned = plan.job(stage, names)
    params = plan.params(planned)
    files = plan.reads(planned), plan.writes(planned)
    digest = partial(code.digest, planned.contract, params)
    return Job(stage, study["name"], planned.names, params, *files, digest)


def perform(job: Job) -> None:
    """Run the job's program, or write empty files if its network was not trained."""
    from pipeline.results import untrained

    models = job.reads.get("model", [])
    if "defence" in job.names and len(models) == 1 and untrained.is_untrained(models[0].path):
        untrained.leave_empty(job.writes.values())
    else:
        import_module(f"pipeline.stages.{job.stage}").run(job)


def _parse_job(stage: str, options: Sequence[str]) -> Job:
    parser = argparse.ArgumentParser(prog=f"python -m pipeline stage {stage}", add_help=False)
    parser.add_argument("--study", type=Path, required=True, help="the study file")
    parsed, name_options = parser.parse_known_args(options)
    study = checked.load(parsed.study)
    if len(name_options) % 2 or not all(word.startswith("--") for word in name_options[::2]):
        raise StudyError(
            f"stage {stage} takes names as `--seed 0`; it was given {' '.join(name_options)}"
        )
    return build_job(
        study,
        stage,
        {word[2:]: value for word, value in zip(*[iter(name_options)] * 2, strict=True)},
    )


def _lock(job: Job) -> FileLock:
    """Lock of the job, so that an orphan of a killed run and its successor never interleave."""
    folder = times.folder(job.stage, job.study, job.names)
    lock = FileLock(folder / ".lock")
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=ORPHAN_SECONDS)
        except Timeout:
            raise StudyError(
                f"another process is at {job.stage} {job.names}; wait or stop it"
            ) from None
    return lock
