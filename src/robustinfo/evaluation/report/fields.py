"""Kinds of values in evaluation.json."""

from typing import Annotated

from pydantic import AfterValidator, Field

from robustinfo.core.settings import Fraction01
from robustinfo.evaluation.checks import CLASSES


def one_of(*choices: str) -> AfterValidator:
    """A validator of a text: it is one of the choices."""

    def check(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is none of {', '.join(choices)}")
        return text

    return AfterValidator(check)


Interval = Annotated[list[Fraction01], Field(min_length=2, max_length=2)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Class = Annotated[str, one_of(*CLASSES)]
