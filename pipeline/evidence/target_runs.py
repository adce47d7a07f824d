"""Runs that each target of a study shows: its settings, and the defences of each."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import filter as matching
from typing import Any

from pydantic import Field

from pipeline.study import outline
from pipeline.study.claim import Claim
from pipeline.study.selecting import check_where, select_groups, settings, values
from pipeline.study.strict_yaml import Key, StudyError, dotted
from pipeline.study.target import Target
from robustinfo.core.settings import Outline, Settings

Runs = dict[tuple[str, str], set[str]]  # (dataset, model): defences; of toys, ("", "")


class Result(Settings):
    """A result of a paper: a table, a figure, or a number of its text."""

    id: str
    what: str
    settings: list[str] = Field(default=["*"])  # dataset/model, or patterns of them; of toys, "/"
    defences: list[str] = Field(default=["*"])
    targets: list[str]  # names of tables, figures and claims, or patterns of them
    faithful: str  # yes, or why not


def runs_of_targets(study: dict[str, Any]) -> dict[str, Runs]:
    """{target: its runs} of the study's tables, figures and claims. study: checked."""
    rows = outline.of_study(study)
    return {
        name: _runs_of_groups(check_where(rows, where, (name,), _fail))
        for name, where in _filters(study)
    }


def runs_of_targets_in(other_study: dict[str, Any], study: dict[str, Any]) -> dict[str, Runs]:
    """{target of the study: runs of another study that have rows for it}."""
    rows = outline.of_study(other_study)
    return {
        name: _runs_of_groups(select_groups(rows, dict(where))) for name, where in _filters(study)
    }


def runs_of_result(result: Result, targets: dict[str, Runs]) -> dict[str, Runs]:
    """{target: runs} of a result, with those of its settings and defences."""
    result_runs: dict[str, Any] = {}
    for name in matching_names(result.targets, targets):
        runs = {
            setting: matching_defences
            for setting, defences in targets[name].items()
            if matching_names(result.settings, ["/".join(setting)])
            and (matching_defences := {*matching_names(result.defences, defences)})
        }
        result_runs |= {name: runs} if runs else {}
    return result_runs


def all_runs(targets: dict[str, Runs]) -> Runs:
    """Union of the runs of all targets."""
    merged: Runs = {}
    for runs in targets.values():
        for setting, defences in runs.items():
            merged.setdefault(setting, set()).update(defences)
    return merged


def matching_names(patterns: Iterable[str], names: Iterable[str]) -> list[str]:
    """The names that one of the patterns matches, each once."""
    return list(dict.fromkeys(name for pattern in patterns for name in matching(names, pattern)))


def _runs_of_groups(groups: Outline) -> Runs:
    runs: Runs = {}
    for group in groups:
        for setting in settings([group]):
            runs.setdefault(setting, set()).update(values(group, "defence"))
    return runs


def _filters(study: dict[str, Any]) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    for section in ("tables", "figures"):
        for name, content in study[section].items():
            yield name, dict(Target(**content).where)
    for name, content in study["claims"].items():
        yield name, dict(Claim(**content).of)


def _fail(key: Key, problem: str) -> StudyError:
    return StudyError(f"{dotted(key)}: {problem}")
