"""One check of everything in a study file, before any job starts."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline import per
from pipeline.schema import Study
from pipeline.slices import INNER, KINDS, sweep
from pipeline.strict_yaml import Key, StudyError, read
from robustinfo.settings import Entry, Settings

# What may stand in the column ``stage`` of the results, and which sections may ``sweep``.
STAGES = {"data", "train", "attack", "measure", "complexity", "distort", "diagnose"}
SWEPT = ("distortions", "diagnostics")

Fail = Callable[[Key, str], StudyError]
Selects = Callable[[dict, Key], None]  # raises if a filter asks for what is not there


def load(file: Path) -> dict[str, Any]:
    """The study after every check that needs no data. Raises StudyError at the first problem."""
    content, lines = read(file)

    def fail(key: Key, problem: str) -> StudyError:
        known = key
        while known and known not in lines:
            known = known[:-1]
        return StudyError(f"{file}:{lines.get(known, 1)}: {'.'.join(map(str, key))}: {problem}")

    for one in _in_each_setting(content, fail):
        _validated(Study, one, (), fail)
        _check_names(one, fail)
        _check_entries(one, fail)
        _check_conclusions(one, fail)
    return content


def _in_each_setting(content: dict, fail: Fail) -> Iterator[dict]:
    """The study as each of its settings sees it, every ``per`` chosen."""
    settings = content.get("settings")
    if not (isinstance(settings, list) and settings and all(isinstance(s, dict) for s in settings)):
        yield content  # which the schema will refuse
        return
    for key, problem in per.problems(content, settings):
        raise fail(key, problem)
    yield from (per.resolve(content, setting) for setting in settings)


def _validated(schema: type[Settings], content: dict, key: Key, fail: Fail) -> Settings:
    try:
        return schema(**content)
    except ValidationError as error:
        first = error.errors()[0]
        problem = f"{first['msg']}; it reads {first['input']!r}"
        if first["type"] == "extra_forbidden":
            problem = f"unknown key; choose from {', '.join(schema.model_fields)}"
        elif first["type"] == "missing":
            problem = "is missing"
        raise fail((*key, *first["loc"]), problem) from None


def _check_names(study: dict, fail: Fail) -> None:
    """Every name that one section uses is an entry of another."""

    def known(key: Key, name: str, there: Iterable[str]) -> None:
        if name not in there:
            raise fail(key, f"no {name!r} among {', '.join(there)}")

    for index, setting in enumerate(study["settings"]):
        known(("settings", index, "dataset"), setting["dataset"], study["datasets"])
        known(("settings", index, "model"), setting["model"], study["models"])
        if setting in study["settings"][:index]:
            raise fail(("settings", index), f"stands twice: {setting}")
    trained = [*study["pretrain"], *study["retrain"]]
    for section in ("pretrain", "retrain"):
        for name in study[section]:
            known((section, name), name, study["defences"])
    for name in study["defences"]:
        if trained.count(name) != 1:
            raise fail(("defences", name), "must stand in exactly one of `pretrain`, `retrain`")
    known(("retrain_from",), study["retrain_from"], study["pretrain"])
    if len(set(study["seeds"])) != len(study["seeds"]):
        raise fail(("seeds",), f"a seed stands twice in {study['seeds']}")


def _check_conclusions(study: dict, fail: Fail) -> None:
    """The verdict, the targets and the claims ask for what the study has."""
    there = {
        "dataset": {*study["datasets"]},
        "model": {*study["models"]},
        "defence": {*study["defences"]},
        "seed": {*study["seeds"]},
        "stage": STAGES,
        "entry": {"", "clean", "attacks"}.union(*(study[section] for section in KINDS)),
        "input": {"", "clean", *study["attacks"], *study["snapshot_attacks"]},
    }

    def selects(where: dict, key: Key) -> None:
        for column, wanted in where.items():
            for value in wanted if isinstance(wanted, list) else [wanted]:
                if column in there and value not in there[column]:
                    choices = ", ".join(sorted(map(str, there[column] - {""})))
                    raise fail((*key, column), f"no {value!r} among {choices}")

    _check_verdict(study, selects, fail)
    _check_targets(study, selects, fail)
    _check_claims(study, selects, fail)


def _check_verdict(study: dict, selects: Selects, fail: Fail) -> None:
    from robustinfo.judging import Thresholds

    thresholds = _validated(Thresholds, study["verdict"], ("verdict",), fail)
    selects({"defence": thresholds.twin}, ("verdict", "twin"))
    curve = study["diagnostics"].get(thresholds.epsilon_curve, {})
    levels = curve.get("sweep", {}).get("epsilon", [])
    if len(levels) < 2 or max(levels) < thresholds.huge_epsilon:
        raise fail(
            ("verdict", "epsilon_curve"),
            f"needs a diagnostic {thresholds.epsilon_curve!r} that sweeps epsilon over several "
            f"values, up to {thresholds.huge_epsilon:g} or beyond; it has {levels}",
        )


def _check_targets(study: dict, selects: Selects, fail: Fail) -> None:
    from pipeline.tables import Target

    for section in ("tables", "figures"):
        for name, content in study[section].items():
            target = _validated(Target, content, (section, name), fail)
            selects(target.where, (section, name, "where"))
            if not name.startswith(f"{section[:-1]}-"):
                raise fail((section, name), f"must be called {section[:-1]}-...")
            if (target.draw is None) == (section == "figures"):
                raise fail((section, name), "figures, and only they, say how to `draw`")


def _check_claims(study: dict, selects: Selects, fail: Fail) -> None:
    from pipeline.claims import Claim, text_of

    for name, content in study["claims"].items():
        claim = _validated(Claim, content, ("claims", name), fail)
        selects(claim.of, ("claims", name, "of"))
        selects(claim.against, ("claims", name, "against"))
        try:
            text_of(claim)
        except StudyError as error:
            raise fail(("claims", name, "claim"), str(error)) from None


def _check_entries(study: dict, fail: Fail) -> None:
    """Every entry names a method and gives it numbers that it takes."""
    from robustinfo import training

    for section, kind in KINDS.items():
        for name, entry in study[section].items():
            key = (section, name)
            if "sweep" in entry and section not in SWEPT:
                raise fail((*key, "sweep"), f"only {' and '.join(SWEPT)} are swept")
            for _, one in _swept(entry, key, fail):
                _check_entry(kind, one, key, fail)
            if section == "snapshot_attacks" and _role(entry) == "adaptive":
                raise fail((*key, "method"), "snapshots are attacked without knowing the defence")
    for section in ("pretrain", "retrain"):
        for name, numbers in study[section].items():
            _validated(training.Config, numbers, (section, name), fail)


def _role(entry: Entry) -> str:
    from robustinfo import catalogue

    return catalogue.module("attacks", entry).ROLE


def _swept(entry: Entry, key: Key, fail: Fail) -> list[tuple[float | None, Entry]]:
    shape = entry.get("sweep", {"setting": []})
    if not (isinstance(shape, dict) and len(shape) == 1 and isinstance(*shape.values(), list)):
        raise fail((*key, "sweep"), f"reads {shape!r}; write one setting with a list of values")
    return list(sweep(entry))


def _check_entry(kind: str, entry: Entry, key: Key, fail: Fail) -> None:
    import torch

    from robustinfo import catalogue

    try:
        schema = catalogue.module(kind, entry).Config
    except ValueError as error:
        raise fail((*key, "method"), str(error)) from None
    numbers = {name: value for name, value in entry.items() if name != "method"}
    config = _validated(schema, numbers, key, fail)
    for inner in INNER.keys() & schema.model_fields.keys():
        _check_entry(INNER[inner], getattr(config, inner), (*key, inner), fail)
    if kind == "models":
        try:  # an unknown layer among its points; any image that the network can read will do
            with torch.device("meta"):
                catalogue.get(kind, entry)((3, 64, 64), 10)
        except ValueError as error:
            raise fail(key, str(error)) from None
