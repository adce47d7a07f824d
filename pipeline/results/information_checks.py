"""Measurements of information that checks of the verdict read, from a defence's last epoch.

All but one are notes: where a defence reduces the information of a layer below its twin's, its
robust accuracy must be higher than the twin's.
"""

from collections.abc import Iterator

import pandas as pd

from pipeline.results.statistics import select_rows
from robustinfo.core.measurement import Measurement, exact

MIN_FALL = 0.05  # fraction of the twin's value
CHANCE_SUFFIX = "_chance"  # ends the quantity of a measure of permuted samples
INPUT_INFORMATION = (
    r"^information_input|^n?hsic_input$"  # quantities of a layer's information on its input
)


def information_measurements(
    setting: pd.DataFrame, defence: str, twin: str, gain: Measurement | None
) -> Iterator[Measurement]:
    """Measurements over seeds, layers and entries. setting: the rows of one setting.

    ``information_at_ceiling_fraction``: fraction of the bounded estimates at their ceiling.
    ``information_over_chance``: the least difference of a measure from its value for permuted
    samples.
    ``gain_where_information_fell``: the gain, if a measure of the last layer that is not at its
    ceiling lies below the twin's.
    """
    rows_of_defence, rows_of_twin = _last_epoch(setting, defence), _last_epoch(setting, twin)
    with_ceiling = rows_of_defence[rows_of_defence.ceiling.notna()]
    if len(with_ceiling):
        yield exact("information_at_ceiling_fraction", with_ceiling.saturated.eq("True").mean())
    over_chance = _least_over_chance(rows_of_defence)
    if over_chance is not None:
        yield exact("information_over_chance", over_chance)
    if gain is not None and _has_fallen(rows_of_defence, rows_of_twin):
        yield gain._replace(quantity="gain_where_information_fell")


def _last_epoch(setting: pd.DataFrame, defence: str) -> pd.DataFrame:
    """Rows of clean images in the last epoch that have a value."""
    where = {"stage": "measure", "input": "clean", "defence": defence, "epoch": "last"}
    rows = select_rows(setting, where)
    return rows[rows.value.notna()]


def _least_over_chance(rows: pd.DataFrame) -> float | None:
    means = rows.groupby(["entry", "layer", "quantity"], sort=False).value.mean()
    differences = [
        value - means[entry, layer, quantity + CHANCE_SUFFIX]
        for (entry, layer, quantity), value in means.items()
        if (entry, layer, quantity + CHANCE_SUFFIX) in means.index
    ]
    return min(differences, default=None)


def _has_fallen(rows: pd.DataFrame, twin_rows: pd.DataFrame) -> bool:
    """Whether any measure of the last layer's information on its input lies below the twin's."""
    own_means, twin_means = _last_layer_means(rows), _last_layer_means(twin_rows)
    return any(
        own_means[key] < (1 - MIN_FALL) * twin_means[key]
        for key in own_means.keys() & twin_means.keys()
    )


def _last_layer_means(rows: pd.DataFrame) -> dict[tuple, float]:
    """{(entry, quantity, layer): mean} of each measure's last layer, unless a seed is saturated.

    The layers of rows are in the network's order.
    """
    input_rows = rows[rows.quantity.str.contains(INPUT_INFORMATION)]
    means = {}
    for (entry, quantity), layers in input_rows.groupby(["entry", "quantity"], sort=False):
        last = layers[layers.layer == layers.layer.iloc[-1]]
        if not last.saturated.eq("True").any():
            means[entry, quantity, last.layer.iloc[0]] = last.value.mean()
    return means
