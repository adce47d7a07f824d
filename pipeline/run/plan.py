"""Plan: all jobs of a study, from its sections and the contracts of the stages.

It depends on no result: every job is known before any has run.
"""

from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.run import contract
from pipeline.run.combinations import Combinations, Names
from pipeline.run.contract import Contract, Read
from pipeline.run.job import File
from pipeline.study import external
from pipeline.study.slices import slices
from pipeline.study.strict_yaml import StudyError

NETWORK_FILE = "{network}"  # of a contract's FILES


class Planned(NamedTuple):
    """One job. names: those of its paths; all_names: also others of its entries, as a proxy."""

    contract: Contract
    names: Names
    all_names: Names

    @property
    def name(self) -> str:
        """``attack/digits/lenet5/standard/0/fgsm``."""
        return "/".join([self.contract.stage, *self.names.values()])

    @property
    def options(self) -> str:
        """`` --dataset digits --seed 0``: its names at the end of a command."""
        return "".join(f" --{name} {value}" for name, value in self.names.items())

    def command(self, study_file: str) -> str:
        """Command that runs it, the same for every engine."""
        return f"python -m pipeline stage {self.contract.stage} --study {study_file}{self.options}"


class Plan:
    """The jobs of one checked study. checkout: the folder of the project whose stages are read."""

    def __init__(self, study: dict[str, Any], checkout: Path = Path()) -> None:  # noqa: D107
        self.study, self.contracts = study, contract.read_all(checkout)
        self._combinations = Combinations(study)

    @cached_property
    def jobs(self) -> dict[str, Planned]:
        """Every job by its name, stage by stage."""
        jobs: dict[str, Planned] = {}
        for stage_contract in self.contracts.values():
            for all_names in self._combinations.of(stage_contract):
                names = {name: all_names[name] for name in stage_contract.names}
                job = Planned(stage_contract, names, all_names)
                jobs.setdefault(job.name, job)
        return jobs

    def of(self, stage: str, **names: str) -> list[Planned]:
        """Jobs of a stage that have these names, and possibly others."""
        of_stage = [job for job in self.jobs.values() if job.contract.stage == stage]
        return [job for job in of_stage if names.items() <= job.names.items()]

    def job(self, stage: str, names: Names) -> Planned:
        """One job. Raises StudyError, with the choices, if there is no job of these names."""
        if stage not in self.contracts:
            raise StudyError(f"no stage {stage!r}; choose from {', '.join(self.contracts)}")
        expected = self.contracts[stage].names
        if expected == [*names] and (job := self.jobs.get("/".join([stage, *names.values()]))):
            return job
        candidates = self.of(stage)
        for name in expected:
            if name not in names:
                raise StudyError(f"stage {stage} needs --{name}")
            choices = ", ".join(dict.fromkeys(job.names[name] for job in candidates)) or "none"
            candidates = [job for job in candidates if job.names[name] == names[name]]
            if not candidates:
                problem = f"stage {stage} has no {name} {names[name]!r} here"
                raise StudyError(f"{problem}; choose from {choices}")
        if unknown := [name for name in names if name not in expected]:
            raise StudyError(f"stage {stage} takes no --{unknown[0]}")
        return candidates[0]

    def writes(self, job: Planned) -> dict[str, Path]:
        """Paths that the job writes, by artifact."""
        return {
            artifact: Path(template.format(study=self.study["name"], **job.names))
            for artifact, template in job.contract.writes.items()
        }

    def reads(self, job: Planned) -> dict[str, list[File]]:
        """Files of other jobs that the job reads, by role."""
        by_role: dict[str, list[File]] = {}
        for read in job.contract.reads:
            by_role.setdefault(read.role, []).extend(self._read(job, read))
        return by_role

    def patterns(self, job: Planned) -> list[str]:
        """Files of the project that the job reads, as patterns."""
        patterns = [pattern for pattern in job.contract.files if pattern != NETWORK_FILE]
        if NETWORK_FILE in job.contract.files:
            patterns += map(str, external.files(self.params(job)["defence"]))
        return patterns

    def params(self, job: Planned) -> dict[str, Any]:
        """All of the study that the job may see, resolved in its setting."""
        return slices(self.study, job.contract.params, job.all_names)

    def _read(self, job: Planned, read: Read) -> list[File]:
        values = self.study | job.all_names
        renamed = {name: value.format(**values) for name, value in read.names.items()}
        names_read = job.names | renamed
        if "seed" in names_read and self._combinations.is_external(names_read):
            names_read["seed"] = self._combinations.first_seed  # its only one
        files = []
        for writer in self.contracts.values():
            if read.artifact in writer.writes:
                names = tuple(name for name in writer.names if name in names_read)
                by_names = self._files[writer.stage, read.artifact, names]
                files += by_names.get(tuple(names_read[name] for name in names), [])
        return files

    @cached_property
    def _files(self) -> "_Files":
        return _Files(self)


class _Files(dict):
    """(stage, artifact, names) -> {values of the names: files}, computed on first access."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.by_stage = defaultdict(list)
        for job in plan.jobs.values():
            self.by_stage[job.contract.stage].append((job.names, plan.writes(job)))

    def __missing__(self, key: tuple[str, str, tuple[str, ...]]) -> dict[tuple, list[File]]:
        stage, artifact, names = key
        files_by_values = defaultdict(list)
        for job_names, paths in self.by_stage[stage]:
            files_by_values[tuple(job_names[name] for name in names)].append(
                File(paths[artifact], job_names)
            )
        self[key] = files_by_values
        return files_by_values
