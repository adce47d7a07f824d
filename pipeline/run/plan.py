"""All jobs of a study, by its sections and the contracts of the stages, with what each reads and
writes.

Nothing here has seen a result: a job is there because the study asks for it.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.run import contract
from pipeline.run.contract import Contract, Read
from pipeline.run.job import File
from pipeline.study.slices import in_setting, look_up, slices
from pipeline.study.strict_yaml import StudyError

Names = dict[str, str]


class Planned(NamedTuple):
    """One job. names: those of its paths; about: also what else its entries say, as a proxy."""

    contract: Contract
    names: Names
    about: Names

    @property
    def name(self) -> str:
        """``attack/digits/lenet5/standard/0/fgsm``."""
        return "/".join([self.contract.stage, *self.names.values()])

    @property
    def options(self) -> str:
        """`` --dataset digits --seed 0``: its names at the end of a command."""
        return "".join(f" --{name} {value}" for name, value in self.names.items())

    def command(self, study_file: str) -> str:
        """What starts it, the same for every engine."""
        return f"python -m pipeline stage {self.contract.stage} --study {study_file}{self.options}"


class Plan:
    """The jobs of one checked study. checkout: the folder of the project whose stages are asked."""

    def __init__(self, study: dict[str, Any], checkout: Path = Path()) -> None:  # noqa: D107
        self.study, self.contracts = study, contract.every(checkout)
        # The study as each setting sees it; as it is, for what has no setting.
        self._settings = [(one, in_setting(study, one)) for one in study["settings"]]

    @cached_property
    def jobs(self) -> dict[str, Planned]:
        """Every job by its name, stage by stage."""
        found: dict[str, Planned] = {}
        for one in self.contracts.values():
            for about in self._combinations(one):
                job = Planned(one, {name: about[name] for name in one.names}, about)
                found.setdefault(job.name, job)
        return found

    def of(self, stage: str, **names: str) -> list[Planned]:
        """The jobs of a stage that have these names, among others."""
        own = [one for one in self.jobs.values() if one.contract.stage == stage]
        return [one for one in own if names.items() <= one.names.items()]

    def job(self, stage: str, names: Names) -> Planned:
        """One job. Raises StudyError, with what there is, where the study has none of the names."""
        if stage not in self.contracts:
            raise StudyError(f"no stage {stage!r}; choose from {', '.join(self.contracts)}")
        known = self.contracts[stage].names
        if known == [*names] and (found := self.jobs.get("/".join([stage, *names.values()]))):
            return found
        there = self.of(stage)
        for name in known:
            if name not in names:
                raise StudyError(f"stage {stage} needs --{name}")
            choices = ", ".join(dict.fromkeys(one.names[name] for one in there)) or "none"
            there = [one for one in there if one.names[name] == names[name]]
            if not there:
                problem = f"stage {stage} has no {name} {names[name]!r} here"
                raise StudyError(f"{problem}; choose from {choices}")
        if more := [name for name in names if name not in known]:
            raise StudyError(f"stage {stage} takes no --{more[0]}")
        return there[0]

    def writes(self, job: Planned) -> dict[str, Path]:
        """The job's files by artifact."""
        return {
            artifact: Path(template.format(study=self.study["name"], **job.names))
            for artifact, template in job.contract.writes.items()
        }

    def reads(self, job: Planned) -> dict[str, list[File]]:
        """The files of other jobs that it reads, by role."""
        found: dict[str, list[File]] = {}
        for read in job.contract.reads:
            found.setdefault(read.role, []).extend(self._read(job, read))
        return found

    def params(self, job: Planned) -> dict[str, Any]:
        """All of the study that the job may see, as its setting has it."""
        return slices(self.study, job.contract.params, job.names)

    def _read(self, job: Planned, read: Read) -> list[File]:
        known = self.study | job.about
        own = job.names | {name: value.format(**known) for name, value in read.of.items()}
        found = []
        for writer in self.contracts.values():
            if read.artifact in writer.writes:
                names = tuple(name for name in writer.names if name in own)
                there = self._files[writer.stage, read.artifact, names]
                found += there.get(tuple(own[name] for name in names), [])
        return found

    @cached_property
    def _files(self) -> "_Files":
        return _Files(self)

    def _combinations(self, one: Contract) -> Iterator[Names]:
        """The names of every job of a stage, setting by setting where it has one."""
        whole: list[tuple[dict, dict]] = [({}, self.study)]
        for setting, own in self._settings if "setting" in one.jobs else whole:
            if one.needs and not own[one.needs]:
                continue
            sections = [_entries(own, key, label) for label, key in one.jobs.items()]
            for chosen in itertools.product(*sections):
                about = {name: value for names in chosen for name, value in names.items()}
                there = about.get("defence") in (None, *own["defences"])
                if there and setting.items() <= about.items():
                    yield about


class _Files(dict):
    """(stage, artifact, names) -> {values of the names: files}, made when first asked for."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.by_stage = defaultdict(list)
        for job in plan.jobs.values():
            self.by_stage[job.contract.stage].append((job.names, plan.writes(job)))

    def __missing__(self, key: tuple[str, str, tuple[str, ...]]) -> dict[tuple, list[File]]:
        stage, artifact, names = key
        found = defaultdict(list)
        for own, files in self.by_stage[stage]:
            found[tuple(own[name] for name in names)].append(File(files[artifact], own))
        self[key] = found
        return found


def _entries(study: dict[str, Any], key: str, label: str) -> list[Names]:
    """What each entry of a section gives: its own names, or its name under the label."""
    found = look_up(study, key)
    return [one if isinstance(one, dict) else {label: str(one)} for one in found]
