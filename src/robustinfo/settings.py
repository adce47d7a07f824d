"""The numbers of a method: strict, frozen, written in params.yaml as the papers print them."""

import re
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Settings(BaseModel):
    """Base of every ``Config``: unknown keys and wrong types are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def pixels(value: Any) -> Any:  # noqa: ANN401
    """``8/255`` as the papers write it. Any other text is left for pydantic to refuse."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}/[1-9]\d{0,8}", value):
        return float(Fraction(value))
    return value


Norm = Literal["linf", "l2"]
Fraction01 = Annotated[float, Field(ge=0, le=1)]
PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# A size in pixel values, images being in [0, 1]; a number or "8/255".
Pixels = Annotated[float, Field(ge=0, allow_inf_nan=False), BeforeValidator(pixels)]
# YAML has lists only; a frozen Config holds tuples.
Names = Annotated[tuple[str, ...], Field(strict=False)]
# {method: ..., its numbers}: an entry of another folder, checked by ``catalogue.get``.
Entry = dict[str, Any]
