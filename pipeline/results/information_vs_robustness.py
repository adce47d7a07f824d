"""Correlation of information and robustness: a measure of every run, and its robust accuracy.

Robust accuracy is that in the union of the study's norms, image by image: one number per run. The
measure is that of clean test images in the last epoch: of the whole network (E_N), of the
logits (I(T;Y)), or of the last hidden layer (the others). Estimates of information count where they
may be believed (``believable_information``). Both grow with clean accuracy, and an estimate with
the scale of the logits; so beside the correlation stand the partial ones, with clean accuracy and
logit scale taken out: of ranks, and the linear one, each with a bootstrap's interval over the
networks. Runs are no independent sample: those of one defence are alike, so the intervals are
rather too narrow; over several settings, networks and data sets differ, too.
"""

import math

import numpy as np
import pandas as pd

from pipeline.results.believable_information import Estimate, layer_width, may_be_believed
from pipeline.results.rows import RUN
from pipeline.results.statistics import select_rows
from pipeline.results.worst_case import with_transfers
from pipeline.study.entries import network
from pipeline.study.quantities import UNION
from robustinfo.core.settings import Entry
from robustinfo.maths.statistics import partial_correlation, spearman

# {quantity that is compared with robust accuracy: its name for readers}
QUANTITIES = {
    "network_entropy": "E_N",
    "information_input_bits_lower": "I(T;X) in bits, lower bound",
    "information_input_bits": "I(T;X) in bits",
    "information_label_bits": "I(T;Y) in bits",
    "nhsic_input": "nHSIC(X, T)",
    "hsic_input": "HSIC(X, T)",
}
OF_LOGITS = "information_label_bits"  # the others are of the last hidden layer, or the network
NETWORK = "network"  # the layer of a measure of the whole network
MIN_RUNS = 4  # fewer have no interval
CONTROLS = ["clean_accuracy", "logit_scale"]  # that are taken out of both
POINT = [
    *RUN, "measure", "quantity", "layer", "value", "saturated", "believable", "robust_accuracy",
    *CONTROLS,
]  # fmt: skip
CORRELATION = [
    "measure", "quantity", "name", "dataset", "model", "runs", "saturated", "correlation", "low",
    "high", "controls", "partial", "partial_low", "partial_high", "linear", "linear_low",
    "linear_high", "says",
]  # fmt: skip


def robust_rows(results: pd.DataFrame, over: str = UNION) -> pd.DataFrame:
    """Rows of robust accuracy, one per run: in a norm, or in the union of all norms."""
    return with_transfers(select_rows(results, {"entry": over, "quantity": "robust_accuracy"}))


def points(results: pd.DataFrame, model: Entry, measures: dict[str, Entry]) -> pd.DataFrame:
    """The points of one setting, columns POINT: a row per run and measure with a finite value.

    model: the entry of the setting's network.  measures: those of the study.
    """
    clean = {"stage": "measure", "input": "clean", "epoch": "last"}
    measured = select_rows(results, clean | {"quantity": [*QUANTITIES]})
    if measured.empty:
        return pd.DataFrame(columns=POINT)
    built = network(model)
    hidden, (logits,) = built.last_hidden, built.logits
    of_logits = measured.quantity == OF_LOGITS
    where = (
        measured.layer.isin([NETWORK, hidden]) & ~of_logits | (measured.layer == logits) & of_logits
    )
    measured = measured[where & np.isfinite(measured.value.astype(float))]
    widths = {hidden: layer_width(model, hidden), logits: _classes(results)}
    believable = [
        may_be_believed(
            measures[line.entry],
            line.quantity,
            widths.get(line.layer, math.nan),
            Estimate(line.value, line.ceiling, line.n, line.saturated == "True"),
        )
        for line in measured.itertuples()
    ]
    measured = measured.assign(believable=[str(one) for one in believable])
    measured = measured.rename(columns={"entry": "measure"})
    accuracy = {"stage": "diagnose", "entry": "clean", "quantity": "accuracy"}
    for name, rows in {
        "robust_accuracy": robust_rows(results),
        "clean_accuracy": select_rows(results, accuracy),
        "logit_scale": select_rows(results, clean | {"quantity": "logit_scale"}),
    }.items():
        of_runs = rows.rename(columns={"value": name})[[*RUN, name]].drop_duplicates(RUN)
        how = "inner" if name == "robust_accuracy" else "left"
        measured = measured.merge(of_runs, on=RUN, how=how)
    return measured[POINT]


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
    """{column: value}: correlations of the runs' value and robust accuracy, with a statement."""
    saturated = runs.saturated.eq("True").mean()
    columns = {"runs": len(runs), "saturated": saturated}
    believed = runs[runs.believable.eq("True")]
    value, robust = believed.value.to_numpy(float), believed.robust_accuracy.to_numpy(float)
    plain = spearman(value, robust)
    if len(runs) < MIN_RUNS:
        cannot = f"fewer than {MIN_RUNS} runs"
    elif len(believed) < MIN_RUNS:
        cannot = "estimates that may not be believed (docs/information.md)"
    else:
        cannot = ""
    if cannot:
        return columns | {"says": f"cannot be said of {cannot}"}
    if math.isnan(plain[0]):
        return columns | {"says": "cannot be said: one of the two is the same in all runs"}
    controls = [name for name in CONTROLS if believed[name].notna().all()]
    known = believed[controls].to_numpy(float)
    partial = partial_correlation(value, robust, known, ranks=True)
    linear = partial_correlation(value, robust, known)
    named = {"": plain, "partial": partial, "linear": linear}
    columns |= {"controls": ", ".join(name.replace("_", " ") for name in controls)}
    for name, (middle, low, high) in named.items():
        ends = (
            {"low": low, "high": high} if not name else {f"{name}_low": low, f"{name}_high": high}
        )
        columns |= {name or "correlation": middle} | ends
    return columns | {"says": _statement(plain, partial)}


def _statement(plain: tuple[float, float, float], partial: tuple[float, float, float]) -> str:
    value, low, high = plain
    if low <= 0 <= high:
        return "undecided: the interval holds 0"
    says = f"the more of it, the {'more' if value > 0 else 'less'} robust"
    matched, low, high = partial
    if math.isnan(low):
        return f"{says}; not known at like accuracy and logit scale"
    if low <= 0 <= high:
        return f"{says}, but not at like accuracy and logit scale: there the interval holds 0"
    if matched * value < 0:
        return f"{says}, and the other way at like accuracy and logit scale"
    return says


def _classes(results: pd.DataFrame) -> float:
    """The number of classes, which is the logits' dimension; nan where it is not told."""
    found = select_rows(results, {"stage": "data", "quantity": "classes"}).value
    return float(found.iloc[0]) if len(found) else math.nan
