"""Finished runs of a study: parameters, a key, files and times. Nothing here knows mlflow.

A run is finished once all its result files exist. Its key is the sha256 of these files and of
its parameters: the same results have the same key on every machine.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.results import rows
from pipeline.run import times
from pipeline.run.digest import sha256
from pipeline.run.job import File
from pipeline.run.plan import Plan, Planned
from pipeline.run.times import Times
from pipeline.study.early import SECTION as STOP_EARLY
from pipeline.study.slices import KINDS, TRAININGS

ADOPT = "adopt"  # in place of a training
TEST_STAGES = ("measure", "complexity", "distort", "diagnose")
ENTRIES = tuple(f"{section}." for section in KINDS)  # parameters that all runs of a study share


class Run(NamedTuple):
    """One finished run.

    swept: {(stage, entry): the setting that is swept}. times: from the start of its first job to
    the end of its last; seconds: of all its jobs. Both are None unless every job that wrote its
    files was timed.
    """

    names: dict[str, str]
    params: dict[str, str]
    swept: dict[tuple[str, str], str]
    files: list[Path]
    key: str
    checkpoint_sha256: str
    times: Times | None = None
    seconds: float | None = None

    @property
    def name(self) -> str:
        """``digits/lenet5/entropic/0``."""
        return "/".join(self.names.values())

    @property
    def defence(self) -> str:
        """``digits/lenet5/entropic``, the same for all its seeds."""
        return self.name.rpartition("/")[0]

    @property
    def own_params(self) -> dict[str, str]:
        """Those by which runs of one study can differ; entries of its sections are in the rest."""
        return {name: text for name, text in self.params.items() if not name.startswith(ENTRIES)}


def runs(study: dict[str, Any]) -> tuple[list[Run], int]:
    """(finished runs, all with the same parameter names; number of unfinished ones)."""
    finished, incomplete, plan = [], 0, Plan(study)
    for names, files, jobs in _expected_runs(plan):
        if all(file.is_file() for file in files):
            finished.append(_finished_run(plan, names, files, jobs))
        else:
            incomplete += 1
    all_params = dict.fromkeys(key for run in finished for key in run.params)
    aligned = [run._replace(params=dict.fromkeys(all_params, "-") | run.params) for run in finished]
    return aligned, incomplete


def _expected_runs(plan: Plan) -> Iterator[tuple[dict[str, str], list[Path], list[Planned]]]:
    """(names, files, jobs) of every run of the study: its checkpoint, all tables, and remedies."""
    jobs_of_run: dict[tuple[str, ...], list[Planned]] = defaultdict(list)
    for job in plan.jobs.values():
        if key := _run_of(job.names):
            jobs_of_run[key].append(job)
    for job in plan.of("collect"):
        read = plan.reads(job)
        tables_of_run: dict[tuple[str, ...], list[File]] = defaultdict(list)
        for file in read["tables"]:
            tables_of_run[_run_of(file.names)].append(file)
        for model in read["model"]:
            key = _run_of(model.names)
            jobs = jobs_of_run[key]
            remedied = [plan.writes(one) for one in jobs if one.contract.stage == "remedies"]
            files = [model.path, *(file.path for file in tables_of_run[key])]
            yield model.names, [*files, *(paths["remedied"] for paths in remedied)], jobs


def _run_of(names: dict[str, str]) -> tuple[str, ...]:
    """The run that a job or file is of; empty without one."""
    return tuple(names[name] for name in rows.RUN) if names.keys() >= {*rows.RUN} else ()


def _finished_run(plan: Plan, names: dict[str, str], files: list[Path], jobs: list[Planned]) -> Run:
    adopted = any(job.contract.stage == ADOPT for job in jobs)
    used: dict[str, Any] = {"start": "elsewhere" if adopted else "scratch"}
    for stage in (ADOPT, *TRAININGS, STOP_EARLY, *TEST_STAGES):
        for job in jobs:
            if job.contract.stage == stage:
                used |= plan.params(job)
    if adopted:
        del used["model"]  # that of the setting's other networks
    params = names | dict(_flat(used, ""))
    swept = {
        (stage, entry): next(iter(content["sweep"]))
        for stage, section in (("distort", "distortions"), ("diagnose", "diagnostics"))
        for entry, content in used.get(section, {}).items()
        if "sweep" in content
    }
    hashes = {str(file): sha256(file) for file in files}
    key = hashlib.sha256(json.dumps([params, hashes], sort_keys=True).encode()).hexdigest()
    return Run(names, params, swept, files, key, hashes[str(files[0])], *_timed(plan, jobs, hashes))


def _timed(
    plan: Plan, jobs: list[Planned], hashes: dict[str, str]
) -> tuple[Times, float] | tuple[None, None]:
    """(span, sum of seconds) of the jobs that wrote a run's files; None unless all were timed."""
    wrote = [job for job in jobs if hashes.keys() & {*map(str, plan.writes(job).values())}]
    found = [
        times.read(times.folder(job.contract.stage, plan.study["name"], job.names), hashes)
        for job in wrote
    ]
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return None, None
    span = Times(min(one.start for one in known), max(one.end for one in known))
    return span, sum(one.end - one.start for one in known)


def _flat(content: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """``training.epochs: 12``; an entry of a section is one line, or they would be a hundred."""
    for key, value in content.items():
        if not isinstance(value, dict) or not value:
            yield f"{prefix}{key}", _text(value)
        elif prefix.removesuffix(".") in KINDS:
            yield f"{prefix}{key}", ", ".join(f"{k}: {_text(v)}" for k, v in value.items())
        else:
            yield from _flat(value, f"{prefix}{key}.")


def _text(value: Any) -> str:  # noqa: ANN401 - any YAML value
    """A value as YAML has it: null, true, 0.1, texts without quotes."""
    return value if isinstance(value, str) else json.dumps(value)
