"""Correlation of information and robustness: a measure of every run, and its robust accuracy.

Robust accuracy is that in the union of the study's norms, image by image: one number per run. The
measure is that of clean test images in the last epoch: of the whole network (E_N), or of its
last hidden layer (the others). Runs are no independent sample: those of one defence are alike, so
the interval is rather too narrow; over several settings, networks and data sets differ, too.
"""

import math

import numpy as np
import pandas as pd

from pipeline.results.rows import RUN
from pipeline.results.statistics import select_rows
from pipeline.results.worst_case import with_transfers
from pipeline.study.entries import network
from pipeline.study.quantities import UNION
from robustinfo.core.settings import Entry
from robustinfo.maths.statistics import spearman

# {quantity that is compared with robust accuracy: its name for readers}
QUANTITIES = {
    "network_entropy": "E_N",
    "information_input_bits_lower": "I(T;X) in bits, lower bound",
    "information_input_bits": "I(T;X) in bits, binned",
    "nhsic_input": "nHSIC(X, T)",
    "hsic_input": "HSIC(X, T)",
}
NETWORK = "network"  # the layer of a measure of the whole network
MIN_RUNS = 4  # fewer have no interval
SATURATED_MAJORITY = 0.5  # fraction of the estimates at their ceiling, above which none is reported
POINT = [*RUN, "measure", "quantity", "layer", "value", "saturated", "robust_accuracy"]
CORRELATION = [
    "measure", "quantity", "name", "dataset", "model", "runs", "saturated", "correlation", "low",
    "high", "says",
]  # fmt: skip


def robust_rows(results: pd.DataFrame, over: str = UNION) -> pd.DataFrame:
    """Rows of robust accuracy, one per run: in a norm, or in the union of all norms."""
    return with_transfers(select_rows(results, {"entry": over, "quantity": "robust_accuracy"}))


def points(results: pd.DataFrame, model: Entry) -> pd.DataFrame:
    """The points of one setting, columns POINT: a row per run and measure with a finite value.

    model: the entry of the setting's network.
    """
    where = {"stage": "measure", "input": "clean", "epoch": "last", "quantity": [*QUANTITIES]}
    measured = select_rows(results, where)
    if measured.empty:
        return pd.DataFrame(columns=POINT)
    measured = select_rows(measured, {"layer": [NETWORK, last_hidden(model)]})
    is_finite = np.isfinite(measured.value.astype(float))
    measured = measured[is_finite].rename(columns={"entry": "measure"})
    accuracy = robust_rows(results).rename(columns={"value": "robust_accuracy"})
    return measured.merge(accuracy[[*RUN, "robust_accuracy"]], on=RUN)[POINT]


def last_hidden(model: Entry) -> str | None:
    """Name of the network's last hidden layer; the network is built without weights."""
    return network(model).last_hidden


def correlations(points: pd.DataFrame) -> pd.DataFrame:
    """Spearman's correlations per measure, columns CORRELATION: over all runs, and per setting.

    dataset and model are empty in the rows over the runs of several settings.
    """
    rows = []
    for (measure, quantity), measure_points in points.groupby(["measure", "quantity"], sort=False):
        parts = [*measure_points.groupby(["dataset", "model"], sort=False)]
        if len(parts) > 1:
            parts.insert(0, (("", ""), measure_points))
        for (dataset, model), runs in parts:
            measure_columns = {
                "measure": measure,
                "quantity": quantity,
                "name": QUANTITIES[quantity],
            }
            rows.append(
                measure_columns | {"dataset": dataset, "model": model} | correlation_of(runs)
            )
    return pd.DataFrame(rows, columns=CORRELATION)


def correlation_of(runs: pd.DataFrame) -> dict:
    """{column: value}: correlation of the runs' value and robust accuracy, with a statement."""
    saturated = runs.saturated.eq("True").mean()
    value, low, high = spearman(runs.value.to_numpy(float), runs.robust_accuracy.to_numpy(float))
    if len(runs) < MIN_RUNS:
        statement = f"cannot be said of fewer than {MIN_RUNS} runs"
    elif saturated > SATURATED_MAJORITY:
        statement = f"cannot be said: {saturated:.0%} of the estimates sit at their ceiling"
    elif math.isnan(value):
        statement = "cannot be said: one of the two is the same in all runs"
    elif low <= 0 <= high:
        statement = "undecided: the interval holds 0"
    else:
        statement = f"the more of it, the {'more' if value > 0 else 'less'} robust"
    columns = {"runs": len(runs), "saturated": saturated, "says": statement}
    if statement.startswith("cannot"):
        value = low = high = math.nan
    return columns | {"correlation": value, "low": low, "high": high}
