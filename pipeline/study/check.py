"""One check of everything in a study file, before any job starts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.study import names, per
from pipeline.study.check_names import check_names, check_selection, check_somewhere
from pipeline.study.check_targets import check_conclusions, check_tested, check_verdict
from pipeline.study.entries import check_entries, check_inputs
from pipeline.study.extends import read_study
from pipeline.study.schema import Setting, Study
from pipeline.study.slices import in_setting
from pipeline.study.strict_yaml import Key, StudyError, dotted, shown
from pipeline.study.validation import Fail, check_containers, validated


def load(file: Path) -> dict[str, Any]:
    """The study after every check that needs no data. Raises StudyError at the first problem."""
    content, places = read_study(file)

    def fail(key: Key, problem: str) -> StudyError:
        known = key
        while known and known not in places:
            known = known[:-1]
        there, line = places.get(known, (file, 1))
        heir = "" if there == file else f" (inherited by {file})"
        return StudyError(f"{there}:{line}: {dotted(key)}: {problem}{heir}")

    for key, problem in per.misplaced(content):
        raise fail(key, problem)
    check_containers(Study, content, fail)
    for setting, one in _in_each_setting(content, fail):
        check_names(one, fail)
        check_selection(setting, one, fail)
        values = check_entries(setting, one, fail)
        check_inputs(setting, one, fail)
        check_verdict(one, values, fail)
        check_tested(one, fail)
    check_conclusions(content, fail)
    return content


def _in_each_setting(content: dict, fail: Fail) -> Iterator[tuple[dict, dict]]:
    """Each setting, and the study as it sees it: every ``per`` chosen, of the schema's shape."""
    for index, setting in enumerate(content["settings"]):
        if not isinstance(setting, dict):
            problem = f"is a mapping of dataset and model; it reads {shown(setting)}"
            raise fail(("settings", index), problem)
        validated(Setting, setting, ("settings", index), fail)
    for key, problem in per.problems(content, content["settings"]):
        raise fail(key, problem)
    seen = [in_setting(content, setting) for setting in content["settings"]]
    for one in seen or [content]:  # without a setting, the schema asks for one
        validated(Study, one, (), fail)
        for key, problem in names.problems(one):
            raise fail(key, problem)
    check_somewhere(content, seen, fail)
    yield from zip(content["settings"], seen, strict=True)
