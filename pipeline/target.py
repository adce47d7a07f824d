"""Stages table and figure: one table of the study, and the figure that is drawn from it.

reads   results/{study}/collected/*.csv, studies/references/*.yaml
writes  results/{study}/tables/{target}.csv  row, column, paper, ours, low, high, scope, n,
                                             seeds, difference, saturated, smaller
        results/{study}/figures/{target}.svg and .png, for a figure
"""

from pathlib import Path

from pipeline import paths, rows
from pipeline.collect import results_of
from pipeline.stage import Job
from pipeline.tables import Target, tabulate


def run(job: Job) -> None:
    """Tabulate; for a figure, draw the table."""
    target = Target(**job.params["target"])
    table = tabulate(results_of(job), target, Path(paths.REFERENCES))
    rows.write_table(job.path(paths.TABLE), table)
    if job.stage == "figure":
        from pipeline.drawing import draw, save

        save(draw(table, target), job.path(paths.FIGURE), job.path(paths.PICTURE))
