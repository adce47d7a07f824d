"""Metrics: few enough to read, whole sections, and every row is in the table beside them."""

import io
import math

import pandas as pd
from mlflow import MlflowClient

from pipeline.results import rows
from pipeline.study.extends import read_study
from pipeline.tracking import mlflow_metrics, mlflow_runs
from pipeline.tracking.mlflow_metrics import MOST, points, select
from pipeline.tracking.mlflow_show import show
from tests.mlflow_study import ROWS, artifact, place, shown, store, study

__all__ = ["study"]  # fixture
LAYERS = [f"layer{number}" for number in range(MOST)]


def many(quantity):
    """Rows of a measure with as many layers as there may be metrics."""
    base = {"stage": "measure", "entry": quantity, "input": "clean", "epoch": 1}
    return [base | {"layer": layer, "quantity": quantity, "value": 1.0} for layer in LAYERS]


def test_of_a_run_with_many_numbers_whole_sections_are_shown_and_the_headline_first(study):
    rows.write(place("measures"), [*many("bits"), *ROWS["measures"]])
    (run, *_), _ = mlflow_runs.runs(read_study(study)[0])
    found = points(mlflow_metrics.table(run.files), run.swept)
    names = dict.fromkeys(point.name for point in select(found))
    assert len({point.name for point in found}) > MOST >= len(names)
    assert next(iter(names)) == "accuracy/robust_l2"
    sections = {name.rpartition("/")[0] for name in names}
    of_sections = {point.name for point in found if point.name.rpartition("/")[0] in sections}
    assert of_sections == {*names} and "bits/clean" not in sections
    assert {"accuracy", "train", "kde/clean", "distortion/jpeg/accuracy"} <= sections


def test_every_row_of_the_tables_is_in_the_table_of_the_run_and_metrics_say_the_same(study):
    rows.write(place("measures"), [*many("bits"), *ROWS["measures"]])
    picture = {"stage": "diagnose", "entry": "picture", "input": "7", "quantity": "loss"}
    rows.write(place("diagnostics"), [*ROWS["diagnostics"], picture | {"value": 3.0}])
    show(study, store())
    run = shown()["digits/lenet5/standard/0"]
    table = pd.read_csv(io.StringIO(artifact(run.info.run_id, "measurements.csv")))
    written = [row for name, content in ROWS.items() if name != "measures" for row in content]
    written += [*many("bits"), *ROWS["measures"], picture | {"value": 3.0}]
    assert len(table) == len(written) > len(run.data.metrics)
    for row in written:
        same = table
        for name, cell in row.items():
            same = same[same[name].isna() if cell == "" else same[name] == cell]
        assert len(same) == 1, row
    values = set(table.value.dropna())
    assert len(run.data.metrics) <= MOST
    for name in run.data.metrics:
        history = MlflowClient(store()).get_metric_history(run.info.run_id, name)
        assert all(point.value in values and math.isfinite(point.value) for point in history)
