"""The JSON schema of a study file, from the models that check it: for editors, and any validator.

It knows sections, keys, methods, types and ranges. A study that extends another may say a part of
anything, so no key inside a section is required here; ``python -m pipeline check`` says the rest.
"""

import argparse
import json
import re
from collections.abc import Sequence
from typing import Any

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from pipeline.study.claim import Claim
from pipeline.study.entries import SWEPT
from pipeline.study.extends import ENTRIES, EXTENDS
from pipeline.study.per import PER, SECTIONS
from pipeline.study.schema import Study
from pipeline.study.shapes import CHOICE, Schema, Shapes, by_setting
from pipeline.study.slices import INNER, KINDS, TRAININGS
from pipeline.study.target import Target
from robustinfo.core import registry
from robustinfo.core.settings import Settings
from robustinfo.training import loop

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# The models of what stands in a section by name, and is no method's entry.
NAMED = {
    **dict.fromkeys(TRAININGS, loop.Config),
    "tables": Target,
    "figures": Target,
    "claims": Claim,
}


def schema() -> Schema:
    """The whole of it."""
    methods = [(kind, name) for kind in _kinds() for name in registry.names(kind)]
    configs = {one: _config(*one) for one in methods}
    models: list[Any] = [*dict.fromkeys([Study, *NAMED.values(), *configs.values()])]
    mode: JsonSchemaMode = "validation"
    refs, told = models_json_schema([(one, mode) for one in models], schema_generator=Shapes)
    shapes = told["$defs"]
    found = {model: refs[model, mode]["$ref"].rpartition("/")[2] for model in models}
    study = shapes.pop(found[Study])
    for kind in _kinds():
        of_methods = {name: shapes[found[configs[kind, name]]] for name in registry.names(kind)}
        shapes[kind] = _entry(kind, of_methods)
    for section, model in NAMED.items():
        shapes[section] = _named({"$ref": f"#/$defs/{found[model]}"}, section)
    for section, kind in KINDS.items():
        shapes[f"{section}_section"] = _named({"$ref": f"#/$defs/{kind}"}, section)
    shapes[PER] = {
        "type": "object",
        "properties": {PER: {"type": "object"}},
        "required": [PER],
        "additionalProperties": False,
    }
    whole = _study(study["properties"])
    return whole | {"$defs": dict(sorted(_used(whole, shapes).items()))}


def _used(part: Any, shapes: Schema) -> Schema:  # noqa: ANN401 - any JSON value
    """The shapes that a part of the schema refers to, and those that they refer to."""
    found: dict[str, Any] = {}
    waiting = [part]
    while waiting:
        names = re.findall(r'"#/\$defs/([^"]+)"', json.dumps(waiting.pop()))
        new = {name: shapes[name] for name in names if name not in found}
        found |= new
        waiting += new.values()
    return found


def _study(properties: Schema) -> Schema:
    """The file: its sections, and what only a study that extends none must say."""
    for section, own in properties.items():
        said = {"description": own["description"]} if "description" in own else {}
        if section in NAMED:
            own = {"$ref": f"#/$defs/{section}"}
        elif section in KINDS:
            own = {"$ref": f"#/$defs/{section}_section"}
        properties[section] = (by_setting(own) if section in SECTIONS else own) | said
    parent = {"type": "string", "description": "the study file that this one differs from"}
    needed = [name for name, field in Study.model_fields.items() if field.is_required()]
    return {
        "$schema": DIALECT,
        "title": "A study of robustinfo",
        "type": "object",
        "properties": {EXTENDS: parent} | properties,
        "additionalProperties": False,
        "required": ["name"],
        "anyOf": [{"required": [EXTENDS]}, {"required": needed}],
    }


def _named(one: Schema, section: str) -> Schema:
    """A section of entries by name; null removes what is inherited, or is none in a setting."""
    names = {"pattern": r"^[A-Za-z0-9*?\[][A-Za-z0-9_*?\[\]!-]*$"}
    any_of = [one, {"type": "null"}] if section in ENTRIES else [one]
    if section in TRAININGS:
        any_of.append(CHOICE)
    return {
        "type": "object",
        "propertyNames": names,
        "additionalProperties": {"anyOf": any_of},
    }


def _entry(kind: str, methods: dict[str, Schema]) -> Schema:
    """An entry: the keys of one method; without one, a part of an inherited entry."""
    ways, known = [], {"method", PER}
    for name, shape in methods.items():
        fields = shape.get("properties", {})
        sweep = {"sweep": _sweep(fields)} if kind in {KINDS[one] for one in SWEPT} else {}
        known |= fields.keys() | sweep.keys()
        own = {"method": {"const": name}, **fields, **sweep}
        when = {"properties": {"method": {"const": name}}, "required": ["method"]}
        then = {"properties": own, "additionalProperties": False}
        ways.append({"if": when, "then": then})
    itself = {"anyOf": [{"$ref": f"#/$defs/{kind}"}, {"type": "null"}]}
    choice = {"type": "object", "additionalProperties": itself}
    return {
        "type": "object",
        "properties": {"method": {"enum": [*methods]}, PER: choice},
        "propertyNames": {"enum": sorted(known)},
        "allOf": ways,
    }


def _sweep(fields: Schema) -> Schema:
    """One setting, and the list of its values."""
    values = by_setting({"type": "array", "minItems": 1})
    shape = {"propertyNames": {"enum": [*fields]}, "additionalProperties": values}
    return {"type": "object", **shape, "minProperties": 1, "maxProperties": 1}


def _kinds() -> list[str]:
    return [*dict.fromkeys((*KINDS.values(), *INNER.values()))]


def _config(kind: str, name: str) -> type[Settings]:
    return registry.module(kind, {"method": name}).Config


def text() -> str:
    """The schema as its file holds it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def main(words: Sequence[str]) -> None:
    """Print it; it takes no words."""
    argparse.ArgumentParser("python -m pipeline schema").parse_args(words)
    print(text(), end="")
