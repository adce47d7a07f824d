"""The numbers of a method: strict, frozen, written in params.yaml as the papers print them."""

import re
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Settings(BaseModel):
    """Base of every ``Config``: unknown keys and wrong types are errors; instances are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def pixels(value: Any) -> Any:  # noqa: ANN401
    """``8/255`` as a float. Any other value is returned as it is, for pydantic to check."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}/[1-9]\d{0,8}", value):
        return float(Fraction(value))
    return value


Norm = Literal["linf", "l2", "l1"]


def order(norm: Norm) -> float:
    """The p of an lp norm: infinity, 2 or 1."""
    return float(norm.removeprefix("l"))


def diameter(norm: Norm, values: int) -> float:
    """The largest distance of two images in [0, 1] of so many values."""
    return values ** (1 / order(norm))


def out_of_scale(size: float, norm: Norm, values: int | None = None) -> str:
    """The error message for a size that no perturbation of images in [0, 1] has; empty if valid.

    In linf a size is below 1, which reaches any image: 8 is mostly meant as 8/255. In l2 and l1 it
    is at most the diameter, where the number of an image's values is known.
    """
    if norm == "linf":
        if size < 1:
            return ""
        hint = f"did you mean {size:g}/255?" if size == int(size) < 255 else "write it as 8/255"
        return f"pixels are in [0, 1], so it is below 1 in linf, not {size:g}; {hint}"
    if values is not None and size > diameter(norm, values):
        limit = f"{diameter(norm, values):g}, of {values:,} values"
        return f"no two images in [0, 1] are {size:g} apart in {norm}; here that is at most {limit}"
    return ""


Fraction01 = Annotated[float, Field(ge=0, le=1)]
PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# A size in pixel values, images being in [0, 1]; a number or "8/255".
Pixels = Annotated[float, Field(ge=0, allow_inf_nan=False), BeforeValidator(pixels)]
# YAML has lists only; a frozen Config holds tuples.
Names = Annotated[tuple[str, ...], Field(strict=False)]
# The names of a method's result rows, known before any is computed: {column: its values} for each
# group of rows. A text may hold ``*``; ANY is any value; an omitted column is empty.
Outline = list[dict[str, tuple[Any, ...]]]
ANY = ("*",)
# {method: ..., its numbers}: an entry of another folder, checked by ``registry.get``.
Entry = dict[str, Any]
