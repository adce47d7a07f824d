"""Stage collect: the rows of every run of one network on one data set in one tidy table.

writes  results/{study}/collected/{dataset}/{model}.csv  with the runs' names, and Wilson
        intervals of fractions without one; the selection comes last. A run
        that was not trained, as no layer was selected for it, has one row, ``untrained``
        results/{study}/per_image/{dataset}/{model}.csv  defence, seed, entry, index, correct
"""

import pandas as pd

from pipeline.results import rows
from pipeline.results.collected import rows_of_run
from pipeline.results.statistics import with_intervals
from pipeline.results.untrained import is_untrained
from pipeline.run.job import Job

JOBS = {"setting": "settings"}
READS = [  # type: ignore[var-annotated]
    "data",
    "model",
    "selection",
    ("tables", "history", {}),
    ("tables", "attacked", {}),
    ("tables", "measures", {}),
    ("tables", "complexities", {}),
    ("tables", "distortions", {}),
    ("tables", "diagnostics", {}),
    ("tables", "transferred", {}),
    ("tables", "learning", {}),
    ("tables", "detected", {}),
    "outcomes",
    ("outcomes", "transferred_outcomes", {}),
]
WRITES = {
    "results": "collected/{dataset}/{model}.csv",
    "per_image": "per_image/{dataset}/{model}.csv",
}

COLUMNS = ["defence", "seed", "entry", "index", "correct"]


def run(job: Job) -> None:
    """Concatenate the rows of all runs; the number of classes is a row of each run."""
    tables, by_image = [], []
    runs = dict.fromkeys(
        (file.names["defence"], file.names["seed"]) for file in job.files("outcomes")
    )
    for defence, seed in runs:
        run_names = {"defence": defence, "seed": seed}
        model = job.file("model", **run_names)
        paths = [file.path for file in job.files("tables", **run_names)]
        tables.append(rows_of_run(job.names | run_names, job.file("data"), model, paths))
        if not is_untrained(model):
            # The last are those after transfers, where there are any.
            *_, outcomes = job.files("outcomes", **run_names)
            by_image.append(rows.read(outcomes.path).assign(**run_names)[COLUMNS])
    for file in job.files("selection"):
        tables.append(rows.read(file.path).assign(**job.names)[tables[0].columns])
    rows.write_table(job.writes["per_image"], pd.concat(by_image, ignore_index=True))
    rows.write_table(job.writes["results"], with_intervals(pd.concat(tables, ignore_index=True)))
