"""Filters of a study applied to its outline: the rows that they will select.

Works on an outline (outline.py) as ``statistics.select_rows`` does on the results.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import combinations, product
from typing import Any, get_args

from pipeline.study.quantities import OF_SNAPSHOTS
from pipeline.study.schema import Column
from pipeline.study.strict_yaml import Key
from pipeline.study.validation import Fail, suggestion
from robustinfo.core.settings import ANY, Outline

Group = dict[str, tuple[Any, ...]]
COLUMNS = get_args(Column)
NUMBERS = ("epoch", "level")  # empty where a row has none
EDGES = ("first", "last")
SETTING = ("dataset", "model")


def check_where(outline: Outline, where: Mapping[Any, Any], key: Key, fail: Fail) -> Outline:
    """Groups that the filter selects; each of its values must occur in one of them."""
    filters = _as_lists(where)
    edge = filters.pop("epoch") if where.get("epoch") in EDGES else []
    for column, wanted in filters.items():
        if not wanted:
            raise fail((*key, column), "an empty list selects nothing")
        _check_values(outline, column, wanted, "", (*key, column), fail)
    matching = [narrowed for group in outline if (narrowed := _narrow(group, filters))]
    for column, wanted in filters.items():
        others = {name: one for name, one in filters.items() if name != column}
        candidates = matching or [one for group in outline if (one := _narrow(group, others))]
        if candidates:
            _check_values(candidates, column, wanted, " where the rest holds", (*key, column), fail)
    if not matching:
        raise fail(key, "selects nothing: no row of the results has all of it")
    if edge:
        matching = _at_edge(matching, min if edge == ["first"] else max)
        if not matching:
            raise fail((*key, "epoch"), "what the rest selects has no epochs")
    return matching


def _as_lists(where: Mapping[Any, Any]) -> dict[Any, list[Any]]:
    """{column: its values} of a filter."""
    return {column: one if isinstance(one, list) else [one] for column, one in where.items()}


def select_groups(outline: Outline, where: dict[str, Any]) -> Outline:
    """Groups that a filter of another study selects; its first or last epoch is any epoch."""
    filters = _as_lists(where)
    if where.get("epoch") in EDGES:
        del filters["epoch"]
    return [narrowed for group in outline if (narrowed := _narrow(group, filters))]


def check_cells(groups: Outline, shown: Iterable[str], key: Key, fail: Fail) -> None:
    """Check that every cell of a table of these columns holds one value per seed."""
    shown = [*shown]
    hidden = [column for column in COLUMNS if column not in (*shown, "seed")]
    for group in groups:
        for column in shown:
            if column in NUMBERS and values(group, column) == (None,):
                of = ", ".join(values(group, "defence"))
                raise fail(key, f"some of its rows have no {column}: {_name(group)} of {of}")
        several = [c for c in hidden if len(values(group, c)) > 1 or _is_pattern(values(group, c))]
        if several:
            raise fail(key, _ambiguous(group, several))
    for one, other in combinations(groups, 2):
        if all(_overlap(values(one, column), values(other, column)) for column in shown):
            several = [c for c in hidden if values(one, c) != values(other, c)]
            raise fail(key, _ambiguous(one, several))


def values(group: Group, column: str) -> tuple[Any, ...]:
    """Values of a column in the group's rows."""
    return group.get(column, (None,) if column in NUMBERS else ("",))


def settings(groups: Outline) -> set[tuple[str, str]]:
    """(dataset, model) of every setting that has some of the rows."""
    return {
        pair for group in groups for pair in product(*(values(group, name) for name in SETTING))
    }


def _check_values(
    groups: Outline, column: str, wanted: list, rest: str, key: Key, fail: Fail
) -> None:
    for value in wanted:
        if column == "epoch" and value in EDGES:
            raise fail(key, f"{value!r} stands alone, not in a list")
        if not any(_contains(values(group, column), value) for group in groups):
            choices_here = {one for group in groups for one in values(group, column)} - {"", None}
            choices = sorted(choices_here, key=lambda one: (isinstance(one, str), one))
            edges = EDGES if column == "epoch" else ()
            raise fail(key, f"no {value!r}{rest}{suggestion(value, (*edges, *choices))}")


def _narrow(group: Group, filters: dict[str, list]) -> Group | None:
    """The part of a group that a filter selects; None if it selects nothing."""
    narrowed = dict(group)
    for column, wanted in filters.items():
        present = values(group, column)
        matching = tuple(value for value in wanted if _contains(present, value))
        if not matching:
            return None
        narrowed[column] = matching
    return narrowed


def _at_edge(groups: Outline, edge: Any) -> Outline:  # noqa: ANN401 - min or max
    """The first or last epoch among the rows of each run, and measures without an epoch."""
    runs: dict[tuple, list[Group]] = {}
    selected = []
    for group in groups:
        if values(group, "epoch") == (None,) and values(group, "stage") == (OF_SNAPSHOTS,):
            selected.append(group)
        elif values(group, "epoch") != (None,):
            for run in product(*(values(group, name) for name in (*SETTING, "defence"))):
                run_columns = dict(zip((*SETTING, "defence"), ((one,) for one in run), strict=True))
                runs.setdefault(run, []).append(group | run_columns)
    for same in runs.values():
        epochs = [epoch for group in same for epoch in group["epoch"] if epoch not in ANY]
        last = edge(epochs) if epochs else ANY[0]
        selected += [
            group | {"epoch": (last,)} for group in same if _contains(group["epoch"], last)
        ]
    return selected


def _contains(values_present: tuple[Any, ...], value: Any) -> bool:  # noqa: ANN401 - any YAML value
    return (
        value in values_present
        or ANY[0] in values_present
        or any(_matches(one, value) for one in values_present)
    )


def _matches(pattern: Any, value: Any) -> bool:  # noqa: ANN401 - any YAML value
    texts = isinstance(pattern, str) and isinstance(value, str)
    return texts and "*" in pattern and fnmatchcase(value, pattern)


def _overlap(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return any(_contains(one, value) for value in other) or any(_contains(other, v) for v in one)


def _is_pattern(values_present: tuple[Any, ...]) -> bool:
    """Whether some value is a pattern of several texts; ANY is not counted."""
    return values_present != ANY and any(
        isinstance(value, str) and "*" in value for value in values_present
    )


def _ambiguous(group: Group, several: list[str]) -> str:
    columns = ", ".join(several)
    return f"a cell holds several {columns} ({_name(group)}); name them in rows, columns or where"


def _name(group: Group) -> str:
    parts = [values(group, column) for column in ("stage", "entry", "input", "quantity")]
    return " ".join("/".join(map(str, part)) for part in parts if part != ("",))[:80]
