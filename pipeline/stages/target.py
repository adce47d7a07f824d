"""Stages table and figure: one table of the study, and the figure that is drawn from it.

reads   results/{study}/collected/*.csv, studies/references/*.yaml
writes  results/{study}/tables/{target}.csv  row, column, paper, ours, low, high, scope, n,
                                             seeds, difference, saturated, smaller
        results/{study}/figures/{target}.svg and .png, for a figure
"""

from pathlib import Path

from pipeline.results import rows
from pipeline.results.tables import Target, tabulate
from pipeline.run import paths
from pipeline.run.job import Job
from pipeline.run.untrained import UNTRAINED
from pipeline.stages.collect import results_of, untrained_of


def run(job: Job) -> None:
    """Tabulate; for a figure, draw the table."""
    target = Target(**job.params["target"])
    references = Path(paths.REFERENCES)
    table = tabulate(results_of(job), target, references, job.params, untrained_of(job))
    rows.write_table(job.path(paths.TABLE), table)
    if job.stage == "figure":
        from pipeline.figures.drawing import draw, save

        lacking = table.scope == UNTRAINED
        note = "".join(f"{row}: {UNTRAINED}\n" for row in table[lacking].row.unique())
        save(draw(table[~lacking], target, note), job.path(paths.FIGURE), job.path(paths.PICTURE))
