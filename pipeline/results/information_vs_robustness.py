"""Does information go with robustness? A measure of every run beside its robust accuracy.

The measure is that of clean test images in the last epoch: of the whole network (E_N), or of its
last hidden layer (the others). Runs are no independent sample: those of one defence are alike, so
the interval is rather too narrow, and over several settings networks and data sets differ too.
"""

import math

import numpy as np
import pandas as pd

from pipeline.results.rows import RUN
from pipeline.results.statistics import chosen
from pipeline.results.worst_case import with_transfers
from pipeline.study.entries import network
from pipeline.study.quantities import ALL
from robustinfo.core.settings import Entry
from robustinfo.maths.statistics import spearman

# What of a measure is set against robustness, and how a reader knows it.
QUANTITIES = {
    "network_entropy": "E_N",
    "information_input_bits_lower": "I(T;X) in bits, lower bound",
    "information_input_bits": "I(T;X) in bits, binned",
    "nhsic_input": "nHSIC(X, T)",
    "hsic_input": "HSIC(X, T)",
}
NETWORK = "network"  # the layer of what is of the whole network
FEWEST = 4  # runs; fewer have no interval
MOST = 0.5  # of the estimates, at their ceiling
POINT = [*RUN, "measure", "quantity", "layer", "value", "saturated", "robust_accuracy"]
CORRELATION = [
    "measure", "quantity", "name", "dataset", "model", "runs", "saturated", "correlation", "low",
    "high", "says",
]  # fmt: skip


def robust(results: pd.DataFrame, over: str = ALL) -> pd.DataFrame:
    """One row per run: accuracy over all attacks of a norm, or of all norms."""
    return with_transfers(chosen(results, {"entry": over, "quantity": "robust_accuracy"}))


def points(results: pd.DataFrame, model: Entry) -> pd.DataFrame:
    """The points of one setting: a line per run and measure. Infinite and missing values fall out.

    model: the entry of the setting's network.
    """
    where = {"stage": "measure", "input": "clean", "epoch": "last", "quantity": [*QUANTITIES]}
    measured = chosen(results, where)
    if measured.empty:
        return pd.DataFrame(columns=POINT)
    measured = chosen(measured, {"layer": [NETWORK, last_hidden(model)]})
    there = np.isfinite(measured.value.astype(float))
    measured = measured[there].rename(columns={"entry": "measure"})
    accuracy = robust(results).rename(columns={"value": "robust_accuracy"})
    return measured.merge(accuracy[[*RUN, "robust_accuracy"]], on=RUN)[POINT]


def last_hidden(model: Entry) -> str | None:
    """The name of the network's last hidden layer among its points; it is built without weights."""
    return network(model).last_hidden


def correlations(points: pd.DataFrame) -> pd.DataFrame:
    """Per measure, Spearman's correlation over all runs, and over those of each setting if several.

    dataset and model are empty where the runs are those of all settings.
    """
    lines = []
    for (measure, quantity), own in points.groupby(["measure", "quantity"], sort=False):
        parts = [*own.groupby(["dataset", "model"], sort=False)]
        if len(parts) > 1:
            parts.insert(0, (("", ""), own))
        for (dataset, model), runs in parts:
            about = {"measure": measure, "quantity": quantity, "name": QUANTITIES[quantity]}
            lines.append(about | {"dataset": dataset, "model": model} | correlated(runs))
    return pd.DataFrame(lines, columns=CORRELATION)


def correlated(runs: pd.DataFrame) -> dict:
    """The correlation of the runs' value and robust accuracy, and what can be said of it."""
    full = runs.saturated.eq("True").mean()
    value, low, high = spearman(runs.value.to_numpy(float), runs.robust_accuracy.to_numpy(float))
    if len(runs) < FEWEST:
        says = f"cannot be said of fewer than {FEWEST} runs"
    elif full > MOST:
        says = f"cannot be said: {full:.0%} of the estimates sit at their ceiling"
    elif math.isnan(value):
        says = "cannot be said: one of the two is the same in all runs"
    elif low <= 0 <= high:
        says = "undecided: the interval holds 0"
    else:
        says = f"the more of it, the {'more' if value > 0 else 'less'} robust"
    found = {"runs": len(runs), "saturated": full, "says": says}
    if says.startswith("cannot"):
        value = low = high = math.nan
    return found | {"correlation": value, "low": low, "high": high}
