"""The table of a target of the study, as the stages table and figure write it."""

from pathlib import Path

import pandas as pd

from pipeline.results.collected import read_results, read_untrained
from pipeline.results.tables import tabulate
from pipeline.run.job import Job
from pipeline.study.slices import REFERENCES
from pipeline.study.target import Target


def tabulate_target(job: Job) -> pd.DataFrame:
    """Cells of the job's target (``pipeline.results.tables.tabulate``)."""
    collected, references = job.paths("results"), Path(REFERENCES)
    target = Target(**job.params["target"])
    untrained = read_untrained(collected)
    return tabulate(read_results(collected), target, references, job.params, untrained)
