"""Units of results, by the names of their quantities and the methods that measure them.

``%`` stands for a fraction, which is stored as one: 0.25 is 25 %.
"""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.study.quantities import COMPLEXITY_QUANTITIES, WORD_QUANTITIES
from robustinfo.core import registry

PERCENT = "%"
FRACTIONS = {"accuracy", "fraction", "share", "rate"}  # words of a quantity's name
NO_FRACTIONS = {"learning_rate"}
BY_WORD = {"bits": "bits", "nats": "nats"}
SIZES = {*COMPLEXITY_QUANTITIES, *WORD_QUANTITIES} - {"auc"}  # in the unit of the complexity


def of_quantity(quantity: str) -> str:
    """``%``, ``bits``, ``nats``, or nothing: by the words of its name."""
    words = re.split(r"[_/.]", quantity)
    if FRACTIONS & {*words} and quantity not in NO_FRACTIONS:
        return PERCENT
    return next((unit for word, unit in BY_WORD.items() if word in words), "")


def of_cell(cell: pd.DataFrame, complexities: Mapping[str, Any]) -> str:
    """The one unit of the rows of a cell; nothing where they have none, or several.

    complexities: those of the study, by name.
    """
    if set(cell.interval) == {"fraction"}:
        return PERCENT
    names = zip(cell.stage, cell.entry, cell.quantity, strict=True)
    units = {_of_row(*name, complexities) for name in {*names}}
    return units.pop() if len(units) == 1 else ""


def _of_row(stage: str, entry: str, quantity: str, complexities: Mapping[str, Any]) -> str:
    if stage == "complexity" and quantity in SIZES and entry in complexities:
        return registry.hook("complexities", complexities[entry], "UNIT")
    return of_quantity(quantity)
