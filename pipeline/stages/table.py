"""Stage table: one table of the study.

writes  results/{study}/tables/{target}.csv  row, column, paper, ours, low, high, scope, n, seeds,
                                             difference, saturated, smaller_than_paper
"""

from pipeline.results import rows
from pipeline.run.job import Job
from pipeline.stages._scale import SCALE
from pipeline.stages._tabulate import tabulate_target

JOBS = {"target": "tables"}
READS = ["results"]
WRITES = {"table": "tables/{target}.csv"}
PARAMS = {**SCALE, "complexities": "complexities", "target": "tables.{target}"}
FILES = ["studies/references/*.yaml"]


def run(job: Job) -> None:
    """Tabulate the target."""
    rows.write_table(job.writes["table"], tabulate_target(job))
