"""The numbers of a method: strict, frozen, written in params.yaml as the papers print them."""

import math
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


def diameter(norm: Norm, values: int) -> float:
    """The size of the largest change of an image in [0, 1] of so many values: any image to any."""
    return 1.0 if norm == "linf" else math.sqrt(values)


def out_of_scale(size: float, norm: Norm, values: int | None = None) -> str:
    """Why a size is none for images in [0, 1]; empty if it is one.

    In linf, 1 paints any image, so a size is below 1: 8 is mostly 8/255. In l2 it is at most the
    diameter, where the values of an image are known.
    """
    if norm == "linf" and size >= 1:
        hint = f"did you mean {size:g}/255?" if size == int(size) < 255 else "write it as 8/255"
        return f"pixels are in [0, 1], so it is below 1 in linf, not {size:g}; {hint}"
    if norm == "l2" and values is not None and size > diameter(norm, values):
        limit = f"{diameter(norm, values):g}, the root of its {values:,} values"
        return f"no two images in [0, 1] are {size:g} apart in l2; here that is at most {limit}"
    return ""


Fraction01 = Annotated[float, Field(ge=0, le=1)]
PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# A size in pixel values, images being in [0, 1]; a number or "8/255".
Pixels = Annotated[float, Field(ge=0, allow_inf_nan=False), BeforeValidator(pixels)]
# YAML has lists only; a frozen Config holds tuples.
Names = Annotated[tuple[str, ...], Field(strict=False)]
# What a method's rows are called, before any is computed: {column: its values} of each group of
# rows. A text may hold ``*``; ANY is any value; a column that is left out is empty.
Outline = list[dict[str, tuple[Any, ...]]]
ANY = ("*",)
# {method: ..., its numbers}: an entry of another folder, checked by ``registry.get``.
Entry = dict[str, Any]
