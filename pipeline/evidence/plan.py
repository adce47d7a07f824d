"""The evidence's list, benchmarks/evidence/plan.yaml -> its units, in order, each checked.

python -m pipeline.evidence.plan   the units as JSON: for the runner, whose modules may be hours old

Any error in it or in a study that it names is raised before anything runs.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from pipeline.evidence.units import RECORDS, Unit
from pipeline.study import early
from pipeline.study.checked import load
from pipeline.study.schema import Name
from pipeline.study.slices import in_setting
from pipeline.study.strict_yaml import Key, StudyError, dotted, read
from pipeline.study.validation import validated
from robustinfo.core.settings import PositiveNumber, Settings

FILE = RECORDS / "plan.yaml"


class Group(Settings):
    """Units of one network on one data set with equal cost."""

    dataset: Name
    model: Name
    defences: Annotated[list[Name], Field(min_length=1)]
    seeds: Annotated[list[int], Field(min_length=1)]
    hours: PositiveNumber  # of one core, of each unit


class Item(Settings):
    because: str  # the question that it answers
    study: str
    units: Annotated[list[Group], Field(min_length=1)]


class Plan(Settings):
    items: dict[Name, Item]


def units(file: Path = FILE) -> list[Unit]:
    """All units in the order of the list, finished or not. Raises StudyError."""
    by_name: dict[str, Unit] = {}
    for name, item in items(file).items():
        study = load(Path(item.study))
        for number, group in enumerate(item.units):
            fail = partial(_error, file, ("items", name, "units", number))
            for unit in _group_units(name, item.study, study, group, fail):
                if unit.name in by_name:
                    raise fail("seeds", f"{unit.name} is also of item {by_name[unit.name].item}")
                by_name[unit.name] = unit
    return list(by_name.values())


def items(file: Path = FILE) -> dict[str, Item]:
    """The items by their names, in order."""
    content, _ = read(file)
    plan = validated(Plan, content, (), lambda key, problem: _error(file, key, "", problem))
    return plan.items


def find_unit(name: str, file: Path = FILE) -> Unit:
    """The unit of this name. Raises StudyError."""
    for unit in units(file):
        if unit.name == name:
            return unit
    raise StudyError(f"{file}: no unit {name!r}; python -m pipeline evidence status lists them")


def _group_units(
    item: str,
    file: str,
    study: dict[str, Any],
    group: Group,
    fail: Callable[[str, str], StudyError],
) -> list[Unit]:
    setting = {"dataset": group.dataset, "model": group.model}
    if setting not in study["settings"]:
        raise fail("model", f"{file} has no setting {group.dataset}/{group.model}")
    study_here = in_setting(study, setting)
    if unknown := set(map(str, group.seeds)) - set(map(str, study_here["seeds"])):
        raise fail("seeds", f"{file} has no seed {', '.join(sorted(unknown))}")
    found = []
    for defence in group.defences:
        if defence not in study_here["defences"]:
            choices = ", ".join(study_here["defences"])
            raise fail("defences", f"{file} has no {defence} there; choose from {choices}")
        if defence in study_here["train_selected"]:
            problem = f"{defence} waits for a selection between networks: name its layers in {file}"
            raise fail("defences", problem)
        if defence in early.names(study_here):
            problem = f"{defence} is a snapshot of another unit, which keeps none; name that one"
            raise fail("defences", problem)
        needs = [study_here["retrain_from"]] if defence in study_here["retrain"] else []
        transfers = (one for one in study_here["transfers"] if one["defence"] == defence)
        needs += [transfer["proxy"] for transfer in transfers]
        needed = tuple(name for name in dict.fromkeys(needs) if name != defence)
        for seed in map(str, group.seeds):
            names = {**setting, "defence": defence, "seed": seed}
            found.append(Unit(item, file, study["name"], **names, hours=group.hours, needs=needed))
    return found


def _error(file: Path, key: Key, last: str, problem: str) -> StudyError:
    return StudyError(f"{file}: {dotted((*key, last) if last else key)}: {problem}")


if __name__ == "__main__":
    try:
        print(json.dumps(units()))
    except StudyError as error:
        sys.exit(f"error: {error}")
