"""A job of something that is not there in its setting: its files are there, and hold nothing.

That is what is null there, and what was never trained since no layer was selected for it, with all
that would be made of it. Snakemake leaves out jobs of the first kind, DVC's matrix cannot; of the
second kind nobody knows before the selection.
"""

import shutil

from pipeline.results import rows
from pipeline.run import paths
from pipeline.run.job import Job
from robustinfo.core.files import refusals
from robustinfo.core.sealed import is_empty, seal

UNTRAINED = "not trained: no layer was selected"


def untrained(job: Job, **names: str) -> bool:
    """Whether a run's checkpoint is there and holds nothing."""
    file = job.path(paths.MODEL, **names)
    return file.is_file() and is_empty(file)


def leave_empty(job: Job) -> None:
    """Write every file of the job's stage without content."""
    for template in paths.WRITES[job.stage]:
        path = job.path(template)
        if path.suffix == ".safetensors":
            seal(path, {}, {})
        elif path.suffix == ".csv":
            rows.write(path, [])
        else:
            with refusals(path):
                shutil.rmtree(path, ignore_errors=True)  # of an earlier training
                path.mkdir(parents=True)
