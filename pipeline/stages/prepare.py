"""Stage prepare: one data set, made once under the data root, and its description as a result.

writes  results/{study}/{dataset}/data.json: classes, counts, shape and sha256 of each split.
The images themselves stay under the data root, outside the versioned results.
"""

from pipeline.results import sealed_text
from pipeline.run.job import Job
from robustinfo.datasets._prepared import data_root, prepare

JOBS = {"setting": "settings"}
WRITES = {"data": "{dataset}/data.json"}
PARAMS = {"dataset": "datasets.{dataset}"}


def run(job: Job) -> None:
    """Prepare both splits if they are not there yet, check them, describe them."""
    manifest = prepare(job.names["dataset"], job.params["dataset"], data_root())
    sealed_text.write_json(job.writes["data"], manifest)
