"""Which rows a filter of a study will select, and whether each of its words selects any.

Works on an outline (outline.py), as statistics.chosen does on the results.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import combinations, product
from typing import Any, get_args

from pipeline.study.schema import Column
from pipeline.study.strict_yaml import Key
from pipeline.study.validation import Fail, suggested
from robustinfo.core.settings import ANY, Outline

Group = dict[str, tuple[Any, ...]]
COLUMNS = get_args(Column)
NUMBERS = ("epoch", "level")  # empty where a row has none
EDGES = ("first", "last")
SETTING = ("dataset", "model")


def check_where(outline: Outline, where: Mapping[Any, Any], key: Key, fail: Fail) -> Outline:
    """The groups that the filter leaves. Every value of every column is in some of them."""
    asked = {column: one if isinstance(one, list) else [one] for column, one in where.items()}
    edge = asked.pop("epoch") if where.get("epoch") in EDGES else []
    for column, wanted in asked.items():
        if not wanted:
            raise fail((*key, column), "an empty list selects nothing")
        _check_values(outline, column, wanted, "", (*key, column), fail)
    found = [one for group in outline if (one := _narrowed(group, asked))]
    for column, wanted in asked.items():
        rest = {name: one for name, one in asked.items() if name != column}
        there = found or [one for group in outline if (one := _narrowed(group, rest))]
        if there:
            _check_values(there, column, wanted, " where the rest holds", (*key, column), fail)
    if not found:
        raise fail(key, "selects nothing: no row of the results has all of it")
    if edge:
        found = _at_edge(found, min if edge == ["first"] else max)
        if not found:
            raise fail((*key, "epoch"), "what the rest selects has no epochs")
    return found


def selected(outline: Outline, where: dict[str, Any]) -> Outline:
    """The groups that a filter of another study leaves, if any; its first or last epoch is any."""
    asked = {column: one if isinstance(one, list) else [one] for column, one in where.items()}
    if where.get("epoch") in EDGES:
        del asked["epoch"]
    return [one for group in outline if (one := _narrowed(group, asked))]


def check_cells(found: Outline, shown: Iterable[str], key: Key, fail: Fail) -> None:
    """Every cell of a table of these columns holds one value per seed."""
    shown = [*shown]
    hidden = [column for column in COLUMNS if column not in (*shown, "seed")]
    for group in found:
        for column in shown:
            if column in NUMBERS and values(group, column) == (None,):
                raise fail(key, f"some of its rows have no {column}: {_name(group)}")
        several = [c for c in hidden if len(values(group, c)) > 1 or _is_open(values(group, c))]
        if several:
            raise fail(key, _crowded(group, several))
    for one, other in combinations(found, 2):
        if all(_shared(values(one, column), values(other, column)) for column in shown):
            several = [c for c in hidden if values(one, c) != values(other, c)]
            raise fail(key, _crowded(one, several))


def values(group: Group, column: str) -> tuple[Any, ...]:
    """What a column of the group's rows holds."""
    return group.get(column, (None,) if column in NUMBERS else ("",))


def settings(groups: Outline) -> set[tuple[str, str]]:
    """(dataset, model) of every setting that has some of the rows."""
    return {pair for one in groups for pair in product(*(values(one, name) for name in SETTING))}


def _check_values(
    groups: Outline, column: str, wanted: list, rest: str, key: Key, fail: Fail
) -> None:
    for value in wanted:
        if column == "epoch" and value in EDGES:
            raise fail(key, f"{value!r} stands alone, not in a list")
        if not any(_holds(values(group, column), value) for group in groups):
            known = {one for group in groups for one in values(group, column)} - {"", None}
            choices = sorted(known, key=lambda one: (isinstance(one, str), one))
            more = EDGES if column == "epoch" else ()
            raise fail(key, f"no {value!r}{rest}{suggested(value, (*more, *choices))}")


def _narrowed(group: Group, asked: dict[str, list]) -> Group | None:
    """The part of a group that a filter leaves; None if that is nothing."""
    found = dict(group)
    for column, wanted in asked.items():
        there = values(group, column)
        kept = tuple(value for value in wanted if _holds(there, value))
        if not kept:
            return None
        found[column] = kept
    return found


def _at_edge(groups: Outline, edge: Any) -> Outline:  # noqa: ANN401 - min or max
    """The first or last epoch among the rows of each run."""
    runs: dict[tuple, list[Group]] = {}
    for group in groups:
        if values(group, "epoch") != (None,):
            for run in product(*(values(group, name) for name in (*SETTING, "defence"))):
                own = dict(zip((*SETTING, "defence"), ((one,) for one in run), strict=True))
                runs.setdefault(run, []).append(group | own)
    found = []
    for same in runs.values():
        told = [epoch for group in same for epoch in group["epoch"] if epoch not in ANY]
        last = edge(told) if told else ANY[0]
        found += [one | {"epoch": (last,)} for one in same if _holds(one["epoch"], last)]
    return found


def _holds(there: tuple[Any, ...], value: Any) -> bool:  # noqa: ANN401 - any YAML value
    return value in there or ANY[0] in there or any(_alike(one, value) for one in there)


def _alike(pattern: Any, value: Any) -> bool:  # noqa: ANN401 - any YAML value
    texts = isinstance(pattern, str) and isinstance(value, str)
    return texts and "*" in pattern and fnmatchcase(value, pattern)


def _shared(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return any(_holds(one, value) for value in other) or any(_holds(other, v) for v in one)


def _is_open(there: tuple[Any, ...]) -> bool:
    """Whether it stands for several texts; of ANY, nobody can say."""
    return there != ANY and any(isinstance(value, str) and "*" in value for value in there)


def _crowded(group: Group, several: list[str]) -> str:
    columns = ", ".join(several)
    return f"a cell holds several {columns} ({_name(group)}); name them in rows, columns or where"


def _name(group: Group) -> str:
    parts = [values(group, column) for column in ("stage", "entry", "input", "quantity")]
    return " ".join("/".join(map(str, part)) for part in parts if part != ("",))[:80]
