"""The table of a target of the study, as the stages table and figure write it."""

from pathlib import Path

import pandas as pd

from pipeline.results.collected import results_of, untrained_of
from pipeline.results.tables import tabulate
from pipeline.run.job import Job
from pipeline.study.slices import REFERENCES
from pipeline.study.target import Target


def tabulated(job: Job) -> pd.DataFrame:
    """Its cells (``pipeline.results.tables.tabulate``)."""
    collected, references = job.paths("results"), Path(REFERENCES)
    target = Target(**job.params["target"])
    untrained = untrained_of(collected)
    return tabulate(results_of(collected), target, references, job.params, untrained)
