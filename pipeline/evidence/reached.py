"""Whose numbers each target of a study shows: the settings, and the defences of each."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import filter as matching
from typing import Any

from pydantic import Field

from pipeline.study import outline
from pipeline.study.claim import Claim
from pipeline.study.selecting import check_where, selected, settings, values
from pipeline.study.strict_yaml import Key, StudyError, dotted
from pipeline.study.target import Target
from robustinfo.core.settings import Outline, Settings

Runs = dict[tuple[str, str], set[str]]  # (dataset, model): defences; of toys, ("", "")


class Result(Settings):
    """What the text of a paper names: a table, a figure, a number."""

    id: str
    what: str
    settings: list[str] = Field(default=["*"])  # dataset/model, or patterns of them; of toys, "/"
    defences: list[str] = Field(default=["*"])
    targets: list[str]  # names of tables, figures and claims, or patterns of them
    faithful: str  # yes, or why not


def of_targets(study: dict[str, Any]) -> dict[str, Runs]:
    """By the names of the tables, figures and claims. study: checked."""
    rows = outline.of_study(study)
    return {name: _runs(check_where(rows, where, (name,), _fail)) for name, where in _asked(study)}


def of_targets_in(other: dict[str, Any], study: dict[str, Any]) -> dict[str, Runs]:
    """By the names of the study's targets, the runs of another one that have rows for them."""
    rows = outline.of_study(other)
    return {name: _runs(selected(rows, dict(where))) for name, where in _asked(study)}


def of_result(result: Result, targets: dict[str, Runs]) -> dict[str, Runs]:
    """Its targets, and of each the runs that are the result's."""
    found: dict[str, Any] = {}
    for name in named(result.targets, targets):
        runs = {
            setting: whose
            for setting, defences in targets[name].items()
            if named(result.settings, ["/".join(setting)])
            and (whose := {*named(result.defences, defences)})
        }
        found |= {name: runs} if runs else {}
    return found


def together(targets: dict[str, Runs]) -> Runs:
    """The runs of all targets."""
    found: Runs = {}
    for runs in targets.values():
        for setting, defences in runs.items():
            found.setdefault(setting, set()).update(defences)
    return found


def named(patterns: Iterable[str], names: Iterable[str]) -> list[str]:
    """The names that one of the patterns matches, each once."""
    return list(dict.fromkeys(one for pattern in patterns for one in matching(names, pattern)))


def _runs(groups: Outline) -> Runs:
    found: Runs = {}
    for group in groups:
        for setting in settings([group]):
            found.setdefault(setting, set()).update(values(group, "defence"))
    return found


def _asked(study: dict[str, Any]) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    for section in ("tables", "figures"):
        for name, content in study[section].items():
            yield name, dict(Target(**content).where)
    for name, content in study["claims"].items():
        yield name, dict(Claim(**content).of)


def _fail(key: Key, problem: str) -> StudyError:
    return StudyError(f"{dotted(key)}: {problem}")
