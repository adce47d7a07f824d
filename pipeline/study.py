"""The schema of a study file, and one check of everything in it before any job starts."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, NonNegativeInt, PositiveInt, ValidationError

from pipeline.slices import INNER, KINDS, sweep
from pipeline.strict_yaml import Key, StudyError, read
from robustinfo.settings import Entry, Fraction01, Settings

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Entries = dict[Name, Entry]


class Setting(Settings):
    dataset: Name
    model: Name


class Study(Settings):
    name: Name
    seeds: Annotated[list[NonNegativeInt], Field(min_length=1)]
    settings: Annotated[list[Setting], Field(min_length=1)]
    datasets: Entries
    models: Entries
    defences: Entries
    validation_share: Fraction01
    pretrain: dict[Name, dict[str, Any]]
    retrain: dict[Name, dict[str, Any]]
    retrain_from: Name
    attacks: Entries
    evaluation_images: PositiveInt | None
    snapshot_attacks: Entries
    measures: Entries
    complexities: Entries
    distortions: Entries
    diagnostics: Entries
    verdict: dict[str, Any]
    tables: dict[Name, dict[str, Any]]
    figures: dict[Name, dict[str, Any]]
    claims: dict[Name, dict[str, Any]]


def load(file: Path) -> dict[str, Any]:
    """The study after every check that needs no data. Raises StudyError at the first problem."""
    content, lines = read(file)

    def fail(key: Key, problem: str) -> StudyError:
        known = key
        while known and known not in lines:
            known = known[:-1]
        return StudyError(f"{file}:{lines.get(known, 1)}: {'.'.join(map(str, key))}: {problem}")

    _validated(Study, content, (), fail)
    _check_names(content, fail)
    _check_entries(content, fail)
    return content


def _validated(schema: type[Settings], content: dict, key: Key, fail: Any) -> Settings:  # noqa: ANN401
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


def _check_names(study: dict, fail: Any) -> None:  # noqa: ANN401
    for index, setting in enumerate(study["settings"]):
        for kind, section in {"dataset": "datasets", "model": "models"}.items():
            if setting[kind] not in study[section]:
                there = ", ".join(study[section])
                raise fail(("settings", index, kind), f"no {setting[kind]!r} among {there}")
    trained = [*study["pretrain"], *study["retrain"]]
    for name in {*trained, *study["defences"]}:
        if name not in study["defences"]:
            key = ("pretrain" if name in study["pretrain"] else "retrain", name)
            raise fail(key, f"no such defence; choose from {', '.join(study['defences'])}")
        if trained.count(name) != 1:
            raise fail(("defences", name), "must stand in exactly one of `pretrain`, `retrain`")
    if study["retrain_from"] not in study["pretrain"]:
        there = ", ".join(study["pretrain"])
        raise fail(("retrain_from",), f"no {study['retrain_from']!r} among {there}")
    if len(set(study["seeds"])) != len(study["seeds"]):
        raise fail(("seeds",), f"a seed stands twice in {study['seeds']}")


def _check_entries(study: dict, fail: Any) -> None:  # noqa: ANN401
    from pipeline.claims import Claim
    from pipeline.tables import Target
    from robustinfo import judging, training

    for section, kind in KINDS.items():
        for name, entry in study[section].items():
            key = (section, name)
            for _, one in _swept(entry, key, fail):
                _check_entry(kind, one, key, fail)
    for section in ("pretrain", "retrain"):
        for name, numbers in study[section].items():
            _validated(training.Config, numbers, (section, name), fail)
    _validated(judging.Thresholds, study["verdict"], ("verdict",), fail)
    for section in ("tables", "figures"):
        for name, target in study[section].items():
            _validated(Target, target, (section, name), fail)
    for name, claim in study["claims"].items():
        _validated(Claim, claim, ("claims", name), fail)


def _swept(entry: Entry, key: Key, fail: Any) -> list[tuple[float | None, Entry]]:  # noqa: ANN401
    shape = entry.get("sweep", {"setting": []})
    if not (isinstance(shape, dict) and len(shape) == 1 and isinstance(*shape.values(), list)):
        raise fail((*key, "sweep"), f"reads {shape!r}; write one setting with a list of values")
    return list(sweep(entry))


def _check_entry(kind: str, entry: Entry, key: Key, fail: Any) -> None:  # noqa: ANN401
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
