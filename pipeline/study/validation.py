"""Validation of a section by its schema: the first problem, with its key.

An unknown key is reported before a missing one: a misspelt ``attcks`` is both.
"""

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from pipeline.study.strict_yaml import Key, StudyError, abbreviated, dotted
from robustinfo.core.settings import Settings

Section = TypeVar("Section", bound=Settings)
Fail = Callable[[Key, str], StudyError]  # (key, problem) -> the error with its file and line
MAX_CHOICES = 40  # that an error lists


def validated(schema: type[Section], content: dict, key: Key, fail: Fail) -> Section:
    """The content as an instance of the schema. Raises the first problem, with key and choices."""
    try:
        return schema(**content)
    except ValidationError as error:
        first = min(error.errors(), key=_rank)
        place = _place(first["loc"], content)
        if first["type"] == "extra_forbidden":
            choices = fields_at(schema, first["loc"][:-1])
            raise fail(
                (*key, *place),
                f"unknown key `{dotted(place[-1:])}`{suggestion(place[-1], choices)}",
            ) from None
        if first["type"] == "missing":
            raise fail((*key, *first["loc"]), "is missing") from None
        problem = " ".join(first["msg"].removeprefix("Value error, ").split())
        if not isinstance(first["input"], dict):  # which a rule between its keys is about
            problem += f"; it reads {abbreviated(first['input'])}"
        raise fail((*key, *place), problem) from None


def check_containers(schema: type[Settings], content: dict, fail: Fail) -> None:
    """Check the keys of the top level, and that mappings and lists are where the schema has them.

    Code that reads a study before it is validated setting by setting relies on that.
    """
    for name in content:
        if name not in schema.model_fields:
            problem = f"unknown key `{dotted((name,))}`{suggestion(name, schema.model_fields)}"
            raise fail((name,), problem)
    for name, field in schema.model_fields.items():
        kind = get_origin(field.annotation) or field.annotation
        if name not in content:
            raise fail((name,), "is missing")
        if kind is list and not isinstance(content[name], list):
            raise fail((name,), f"is a list; it reads {abbreviated(content[name])}")
        mapping = kind is dict or (isinstance(kind, type) and issubclass(kind, BaseModel))
        if mapping and not isinstance(content[name], dict):
            problem = f"is a mapping, empty as {{}}; it reads {abbreviated(content[name])}"
            raise fail((name,), problem)


def suggestion(name: Any, choices: Iterable[Any]) -> str:  # noqa: ANN401 - any YAML value
    """``; did you mean `attacks`? choose from ...``: the closest choice, and all choices."""
    texts = [str(choice) for choice in choices]
    alike = get_close_matches(str(name), texts, 1)
    question = f"; did you mean `{alike[0]}`?" if alike else ";"
    ellipsis = ", ..." if len(texts) > MAX_CHOICES else ""
    return f"{question} choose from {', '.join(texts[:MAX_CHOICES])}{ellipsis}"


def fields_at(schema: type[BaseModel], place: Iterable[str | int]) -> list[str]:
    """Keys of the schema at a place within it."""
    for part in place:
        if part in schema.model_fields:
            schema = next(_models(schema.model_fields[part].annotation), schema)
    return list(schema.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - any type
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _rank(error: Any) -> int:  # noqa: ANN401 - pydantic's
    return {"extra_forbidden": 0, "missing": 2}.get(error["type"], 1)


def _place(loc: Iterable[str | int], content: Any) -> Key:  # noqa: ANN401 - any YAML value
    """Pydantic's location as a key of the file, without the names of union members."""
    place = []
    for part in loc:
        if isinstance(content, dict) and part in content:
            content = content[part]
        elif isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
        else:
            break
        place.append(part)
    return tuple(place)
