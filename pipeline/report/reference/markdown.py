"""Types and defaults in words, from the JSON schema and the models; and Markdown tables."""

import json
from collections.abc import Iterable
from typing import Any, get_args

from pydantic.fields import FieldInfo

from pipeline.study.per import PER
from pipeline.study.schema import Column
from pipeline.study.shapes import SIZE
from robustinfo.core import registry
from robustinfo.core.settings import Settings

BOUNDS = {
    "minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}",
}  # fmt: skip
# What a schema calls one of the study's own models, and the heading that its keys stand under.
MODELS = {
    "loop": "a [training](#a-training)",
    "augment": "an [augmentation](#a-training)",
    "Setting": "a [setting](#settings)",
    "Paper": "[where it stands](#paper)",
    "Alike": "[such a quantity](#alike)",
    "Published": "[where it stands](#published)",
    "Inner": "mapping, as of `attacks/pgd`, whose objective may be `loss`, the defence's own",
}
COLUMNS = [*get_args(Column)]


def kind(schema: dict[str, Any]) -> str:
    """Type of a key's value in words: ``number > 0``, ``list of texts``, ``entry of losses/``."""
    if "$ref" in schema:
        return _model_text(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(filter(None, map(kind, schema["anyOf"]))))
    if schema == SIZE:
        return "`8/255`"
    if schema.get("enum") == COLUMNS:
        return "a column"
    if schema.get("propertyNames", {}).get("enum") == COLUMNS:
        return "a [selection](#selections)"
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {kind(schema['items'])}" if "items" in schema else _pair_text(schema)
    if "propertyNames" in schema or "additionalProperties" in schema:
        inner = schema.get("additionalProperties")
        return f"names, each {kind(inner)}" if isinstance(inner, dict) else "mapping"
    named = {"object": "mapping", "string": "text", "boolean": "`true`, `false`", "null": "`null`"}
    name = schema.get("type", "any value")
    bounds = " ".join(text.format(f"{schema[k]:g}") for k, text in BOUNDS.items() if k in schema)
    return f"{named.get(name, name)} {bounds}".strip()


def default(field: FieldInfo) -> str:
    """Default of a key as YAML; *needed* where there is none."""
    if field.is_required():
        return "*needed*"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Settings):
        return "its defaults"
    return f"`{json.dumps(value)}`"


def fields(model: type[Settings], properties: dict[str, Any]) -> str:
    """Markdown table of the keys of a model. properties: their JSON schemas."""
    lines = [
        [f"`{name}`", kind(properties[name]), default(field), _description(properties[name])]
        for name, field in model.model_fields.items()
    ]
    return table(["key", "value", "without it", "meaning"], lines)


def table(heads: list[str], lines: Iterable[list[str]]) -> str:
    """A Markdown table; pipes in cells are escaped."""
    rows = [heads, ["---"] * len(heads), *lines]
    escaped = ([cell.replace("|", r"\|") for cell in row] for row in rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped)


def _description(schema: dict[str, Any]) -> str:
    return schema.get("description", "")


def _pair_text(schema: dict[str, Any]) -> str:
    return f"list of {len(schema['prefixItems'])}, each {kind(schema['prefixItems'][0])}"


def _model_text(name: str) -> str:
    if name == PER:  # of nearly every key: said once, of the language
        return ""
    if name in registry.VERBS:
        return f"entry of [{name}/](#{name})"
    parts = name.split("__")
    model = parts[2] if len(parts) > 1 else name
    return MODELS[model] if model in MODELS else f"mapping, as of `{parts[1]}/{model}`"
