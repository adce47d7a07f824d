"""The JSON schema of a study file, from the models that check it: for editors, and any validator.

It covers sections, keys, methods, types and ranges. A study that extends another may hold a part of
anything, so no key inside a section is required; ``python -m pipeline check`` checks the rest.
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
from pipeline.study.external import External
from pipeline.study.per import PER, SECTIONS
from pipeline.study.schema import Study
from pipeline.study.shapes import CHOICE, Schema, Shapes, by_setting
from pipeline.study.slices import KINDS, NESTED_ENTRIES, TRAININGS
from pipeline.study.target import Target
from robustinfo.core import registry
from robustinfo.core.settings import Settings
from robustinfo.training import loop

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Models of the named contents of sections that are no method's entries.
NAMED = {
    **dict.fromkeys(TRAININGS, loop.Config),
    "tables": Target,
    "figures": Target,
    "claims": Claim,
}


def schema() -> Schema:
    """The JSON schema of a whole study file."""
    methods = [(kind, name) for kind in _kinds() for name in registry.names(kind)]
    configs = {key: _config(*key) for key in methods}
    models: list[Any] = [*dict.fromkeys([Study, External, *NAMED.values(), *configs.values()])]
    mode: JsonSchemaMode = "validation"
    refs, document = models_json_schema([(key, mode) for key in models], schema_generator=Shapes)
    shapes = document["$defs"]
    names = {model: refs[model, mode]["$ref"].rpartition("/")[2] for model in models}
    study = shapes.pop(names[Study])
    for kind in _kinds():
        of_methods = {name: shapes[names[configs[kind, name]]] for name in registry.names(kind)}
        shapes[kind] = _entry(kind, of_methods)
    for section, model in NAMED.items():
        shapes[section] = _named_section({"$ref": f"#/$defs/{names[model]}"}, section)
    for section, kind in KINDS.items():
        entry: Schema = {"$ref": f"#/$defs/{kind}"}
        if section == "defences":  # or a network that was trained elsewhere
            entry = {"anyOf": [entry, by_setting({"$ref": f"#/$defs/{names[External]}"})]}
        shapes[f"{section}_section"] = _named_section(entry, section)
    shapes[PER] = {
        "type": "object",
        "properties": {PER: {"type": "object"}},
        "required": [PER],
        "additionalProperties": False,
    }
    whole = _study(study["properties"])
    return whole | {"$defs": dict(sorted(_used_definitions(whole, shapes).items()))}


def _used_definitions(schema_part: Any, shapes: Schema) -> Schema:  # noqa: ANN401 - any JSON value
    """Definitions that a part of the schema refers to, directly or not."""
    used: dict[str, Any] = {}
    waiting = [schema_part]
    while waiting:
        names = re.findall(r'"#/\$defs/([^"]+)"', json.dumps(waiting.pop()))
        new = {name: shapes[name] for name in names if name not in used}
        used |= new
        waiting += new.values()
    return used


def _study(properties: Schema) -> Schema:
    """Schema of the file: its sections, and those required of a study that extends none."""
    for section, section_schema in properties.items():
        description = (
            {"description": section_schema["description"]}
            if "description" in section_schema
            else {}
        )
        if section in NAMED:
            section_schema = {"$ref": f"#/$defs/{section}"}
        elif section in KINDS:
            section_schema = {"$ref": f"#/$defs/{section}_section"}
        properties[section] = (
            by_setting(section_schema) if section in SECTIONS else section_schema
        ) | description
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


def _named_section(item: Schema, section: str) -> Schema:
    """Schema of a section of named entries; null: removed, or absent in a setting."""
    names = {"pattern": r"^[A-Za-z0-9*?\[][A-Za-z0-9_*?\[\]!-]*$"}
    any_of = [item, {"type": "null"}] if section in ENTRIES else [item]
    if section in TRAININGS:
        any_of.append(CHOICE)
    return {
        "type": "object",
        "propertyNames": names,
        "additionalProperties": {"anyOf": any_of},
    }


def _entry(kind: str, methods: dict[str, Schema]) -> Schema:
    """Schema of an entry: the keys of one method; without it, a part of an inherited entry."""
    ways, known_keys = [], {"method", PER}
    for name, shape in methods.items():
        fields = shape.get("properties", {})
        sweep = {"sweep": _sweep(fields)} if kind in {KINDS[one] for one in SWEPT} else {}
        known_keys |= fields.keys() | sweep.keys()
        fields_with_method = {"method": {"const": name}, **fields, **sweep}
        when = {"properties": {"method": {"const": name}}, "required": ["method"]}
        then = {"properties": fields_with_method, "additionalProperties": False}
        ways.append({"if": when, "then": then})
    nested = {"anyOf": [{"$ref": f"#/$defs/{kind}"}, {"type": "null"}]}
    choice = {"type": "object", "additionalProperties": nested}
    return {
        "type": "object",
        "properties": {"method": {"enum": [*methods]}, PER: choice},
        "propertyNames": {"enum": sorted(known_keys)},
        "allOf": ways,
    }


def _sweep(fields: Schema) -> Schema:
    """Schema of a sweep: one setting, and the list of its values."""
    values = by_setting({"type": "array", "minItems": 1})
    shape = {"propertyNames": {"enum": [*fields]}, "additionalProperties": values}
    return {"type": "object", **shape, "minProperties": 1, "maxProperties": 1}


def _kinds() -> list[str]:
    return [*dict.fromkeys((*KINDS.values(), *NESTED_ENTRIES.values()))]


def _config(kind: str, name: str) -> type[Settings]:
    return registry.module(kind, {"method": name}).Config


def text() -> str:
    """Text of studies/schema.json."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> None:
    """Print the schema; there are no arguments."""
    argparse.ArgumentParser("python -m pipeline schema").parse_args(arguments)
    print(text(), end="")
