"""JSON schema of one model: its keys with their meanings, in the notation of a study."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from pipeline.study import meanings
from pipeline.study.external import External
from pipeline.study.per import PER
from pipeline.study.schema import Distorted, Limits
from pipeline.study.slices import NESTED_ENTRIES
from robustinfo.core.settings import pixels

Schema = dict[str, Any]
SIZE = {"type": "string", "pattern": r"^\d{1,9}/[1-9]\d{0,8}$"}  # 8/255
CHOICE = {"$ref": f"#/$defs/{PER}"}  # {per: {setting: value}}, of any values


class Shapes(GenerateJsonSchema):
    """pydantic's generator, with meanings, fractions of pixels, entries, and choices by setting."""

    def function_before_schema(self, schema: Any) -> Schema:  # noqa: ANN401 - pydantic-core's
        """Schema of a value that is parsed first: a size may be written ``8/255``."""
        shape = super().function_before_schema(schema)
        return {"anyOf": [shape, SIZE]} if schema["function"]["function"] is pixels else shape

    def model_schema(self, schema: Any) -> Schema:  # noqa: ANN401 - pydantic-core's
        """Schema of a model with its fields' meanings; none is required: it may be inherited."""
        model, shape = schema["cls"], super().model_schema(schema)
        descriptions = meanings.of_settings(model)
        for name, field in shape.get("properties", {}).items():
            field.pop("title", None)
            if name in NESTED_ENTRIES and field.get("type") == "object":
                field = {"$ref": f"#/$defs/{NESTED_ENTRIES[name]}"}
            if model.__module__.startswith("robustinfo.") or model in (Distorted, External, Limits):
                field = by_setting(field)
            shape["properties"][name] = field | (
                {"description": descriptions[name]} if descriptions[name] else {}
            )
        return {"type": "object", "additionalProperties": False} | {
            key: shape[key] for key in ("properties",) if key in shape
        }


def by_setting(schema: Schema) -> Schema:
    """Schema of a value, or of ``{per: {setting: value}}``."""
    return {"anyOf": [schema, CHOICE]}
