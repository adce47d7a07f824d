"""The check of a whole study file, before any job starts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.study import names, per
from pipeline.study.check_external import check_external, check_images_per_job
from pipeline.study.check_names import check_any_setting, check_names, check_selection
from pipeline.study.check_targets import check_adversaries, check_conclusions, check_verdict
from pipeline.study.early import check_stop_early
from pipeline.study.entries import check_entries, check_inputs
from pipeline.study.extends import read_study
from pipeline.study.external import only_trained
from pipeline.study.schema import Setting, Study
from pipeline.study.slices import in_setting
from pipeline.study.strict_yaml import Key, StudyError, abbreviated, dotted
from pipeline.study.validation import Fail, check_containers, validated


def load(file: Path) -> dict[str, Any]:
    """Content of the study after every check that needs no data.

    Raises StudyError at the first problem, with its file and line.
    """
    content, places = read_study(file)

    def fail(key: Key, problem: str) -> StudyError:
        nearest = key
        while nearest and nearest not in places:
            nearest = nearest[:-1]
        origin, line = places.get(nearest, (file, 1))
        inherited = "" if origin == file else f" (inherited by {file})"
        return StudyError(f"{origin}:{line}: {dotted(key)}: {problem}{inherited}")

    for key, problem in per.misplaced(content):
        raise fail(key, problem)
    check_containers(Study, content, fail)
    for setting, study in _in_each_setting(content, fail):
        check_names(study, fail)
        check_external(study, fail)
        check_images_per_job(study, fail)
        trained = only_trained(study)
        check_selection(setting, trained, fail)
        dimension = check_entries(setting, trained, fail)
        check_inputs(setting, study, fail)
        check_stop_early(study, fail)
        check_verdict(study, dimension, fail)
        check_adversaries(study, fail)
    check_conclusions(content, fail)
    return content


def _in_each_setting(content: dict, fail: Fail) -> Iterator[tuple[dict, dict]]:
    """(setting, study in that setting: every ``per`` resolved), each valid by the schema."""
    for index, setting in enumerate(content["settings"]):
        if not isinstance(setting, dict):
            problem = f"is a mapping of dataset and model; it reads {abbreviated(setting)}"
            raise fail(("settings", index), problem)
        validated(Setting, setting, ("settings", index), fail)
    for key, problem in per.problems(content, content["settings"]):
        raise fail(key, problem)
    seen = [in_setting(content, setting) for setting in content["settings"]]
    for study in seen or [content]:  # without a setting, the schema asks for one
        validated(Study, study, (), fail)
        for key, problem in names.problems(study):
            raise fail(key, problem)
    check_any_setting(content, seen, fail)
    yield from zip(content["settings"], seen, strict=True)
