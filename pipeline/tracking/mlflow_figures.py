"""The study's figures of one run alone, as pictures. Nothing here knows mlflow."""

from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.figures.drawing import draw as draw_table
from pipeline.results.statistics import with_intervals
from pipeline.results.tables import tabulate
from pipeline.study.slices import REFERENCES
from pipeline.study.strict_yaml import StudyError
from pipeline.study.target import Target
from pipeline.tracking.mlflow_runs import Run
from robustinfo.evaluation.display.saving import save


def draw(study: dict[str, Any], run: Run, measured: pd.DataFrame, folder: Path) -> None:
    """Write a picture of every figure of the study that shows something of this run.

    measured: all rows of the run.
    """
    results = with_intervals(measured.assign(**run.names | {"seed": int(run.names["seed"])}))
    for name, content in study["figures"].items():
        target = Target(**content)
        try:
            table = tabulate(results, target, Path(REFERENCES), study)
        except StudyError:  # it selects nothing of this run
            continue
        save(draw_table(table, target, run.name), folder / f"{name}.png")
