"""Start one job: from its command line to the program of its stage, alone, with its driver."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.run import driver, paths
from pipeline.run.job import Job
from pipeline.study import checked
from pipeline.study.slices import slices
from pipeline.study.strict_yaml import StudyError
from robustinfo.core.errors import Fault

NAMES = (
    "dataset", "model", "defence", "seed", "attack", "learning", "detection", "toy",
    "target",
)  # fmt: skip


def start(words: Sequence[str]) -> None:
    """Run one job: ``attack --study params.yaml --dataset digits ...``.

    A known error ends the process with one line, not a traceback.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    driver.follow()
    try:
        stage, *options = words
        if stage not in paths.KEYS:
            raise StudyError(f"no stage {stage!r}; choose from {', '.join(paths.KEYS)}")
        job = _job(stage, options)
        run = import_module(f"pipeline.stages.{paths.PROGRAMS.get(stage, stage)}").run
        with _alone(job):
            perform(run, job)
    except Fault as error:
        sys.exit(f"error: {error}")


def perform(run: Callable[[Job], None], job: Job) -> None:
    """Run the job, or leave empty what it would write, where it is about nothing."""
    if job.is_absent:
        from pipeline.run.untrained import leave_empty as run
    run(job)


def _job(stage: str, options: Sequence[str]) -> Job:
    parser = argparse.ArgumentParser(prog=f"python -m pipeline stage {stage}")
    parser.add_argument("--study", type=Path, required=True, help="the study file")
    for name in NAMES:
        parser.add_argument(f"--{name}")
    given = {key: one for key, one in vars(parser.parse_args(options)).items() if one is not None}
    file = given.pop("study")
    study = checked.load(file)
    try:
        params = slices(study, stage, given)
    except KeyError as error:
        raise StudyError(f"stage {stage} needs --{error.args[0]}") from None
    seeds = [str(seed) for seed in study["seeds"]]
    if "seed" in given and given["seed"] not in seeds:
        raise StudyError(f"no seed {given['seed']!r} in the study; choose from {', '.join(seeds)}")
    return Job(stage, study["name"], given, params)


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
