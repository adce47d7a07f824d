"""A job of something that is null in its setting: its files are there, and hold nothing.

Snakemake leaves such jobs out; DVC's matrix cannot.
"""

from pipeline import paths, rows
from pipeline.stage import Job
from robustinfo.files import refusals
from robustinfo.sealed import seal


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
                path.mkdir(parents=True, exist_ok=True)
