"""The JSON schema of one model: its keys, what they mean, and how a study may write them."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from pipeline.study import meanings
from pipeline.study.per import PER
from pipeline.study.schema import Distorted, Limits
from pipeline.study.slices import INNER
from robustinfo.core.settings import pixels

Schema = dict[str, Any]
SIZE = {"type": "string", "pattern": r"^\d{1,9}/[1-9]\d{0,8}$"}  # 8/255
CHOICE = {"$ref": f"#/$defs/{PER}"}  # {per: {setting: value}}, of any values


class Shapes(GenerateJsonSchema):
    """pydantic's generator, with meanings, fractions of pixels, entries, and choices by setting."""

    def function_before_schema(self, schema: Any) -> Schema:  # noqa: ANN401 - pydantic-core's
        """What is read before it is checked: a size may be written ``8/255``."""
        found = super().function_before_schema(schema)
        return {"anyOf": [found, SIZE]} if schema["function"]["function"] is pixels else found

    def model_schema(self, schema: Any) -> Schema:  # noqa: ANN401 - pydantic-core's
        """A model with its fields' meanings. None is required: an heir says what it changes."""
        model, found = schema["cls"], super().model_schema(schema)
        said = meanings.of_settings(model)
        for name, field in found.get("properties", {}).items():
            field.pop("title", None)
            if name in INNER and field.get("type") == "object":
                field = {"$ref": f"#/$defs/{INNER[name]}"}
            if model.__module__.startswith("robustinfo.") or model in (Distorted, Limits):
                field = by_setting(field)
            found["properties"][name] = field | ({"description": said[name]} if said[name] else {})
        return {"type": "object", "additionalProperties": False} | {
            key: found[key] for key in ("properties",) if key in found
        }


def by_setting(schema: Schema) -> Schema:
    """A value, or ``{per: {setting: value}}``."""
    return {"anyOf": [schema, CHOICE]}
