"""What every stage shares: its command line, its slice of the study, its lock, seed and device."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline import checked, driver, paths
from pipeline.slices import slices
from pipeline.strict_yaml import StudyError
from robustinfo.faults import Fault

NAMES = (
    "dataset", "model", "defence", "seed", "attack", "learning", "detection", "toy",
    "target",
)  # fmt: skip

ABOUT = ("defence", "attack", "learning", "detection")  # entries that one job is of


class Job:
    """One job: the names of its experiment, and the only parameters that it may read."""

    def __init__(  # noqa: D107
        self, stage: str, study: str, names: dict[str, str], params: dict
    ) -> None:
        self.stage, self.study, self.names, self.params = stage, study, names, params

    @property
    def is_absent(self) -> bool:
        """Whether what the job is about is null in its setting, or of a run without training."""
        if any(self.params.get(entry, ...) is None for entry in ABOUT):
            return True
        if "defence" not in self.names or self.stage in paths.TRAININGS:
            return False
        from pipeline.absent import untrained

        return untrained(self)

    def path(self, template: str, **names: str) -> Path:
        """A path of ``paths`` for this job's names."""
        return Path(template.format(study=self.study, **(self.names | names)))

    @cached_property
    def device(self) -> Any:  # noqa: ANN401 - torch is imported by stages that compute
        """The torch.device that this job holds alone."""
        from pipeline.device import acquire

        device, self._lock = acquire()
        return device

    @cached_property
    def generator(self) -> Any:  # noqa: ANN401
        """The one source of randomness, on the device; also seeds torch's global generator."""
        import torch

        seed = int(self.names["seed"])
        torch.manual_seed(seed)  # weight initialisation and dropout draw from it
        return torch.Generator(self.device).manual_seed(seed)


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
        run = import_module(f"pipeline.{paths.PROGRAMS.get(stage, stage)}").run
        with _alone(job):
            perform(run, job)
    except Fault as error:
        sys.exit(f"error: {error}")


def perform(run: Callable[[Job], None], job: Job) -> None:
    """Run the job, or leave empty what it would write, where it is about nothing."""
    if job.is_absent:
        from pipeline.absent import leave_empty as run
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
