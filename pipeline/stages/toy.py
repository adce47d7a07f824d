"""Stage toy: a computation of a paper that needs no data set and no trained network.

writes  results/{study}/collected/{toy}.csv  its rows for every seed of the study
"""

import torch

from pipeline.results import rows
from pipeline.run.job import Job
from robustinfo.core import registry

JOBS = {"toy": "toys"}
WRITES = {"results": "collected/{toy}.csv"}  # beside folders: a name holds no dot
PARAMS = {"seeds": "seeds", "toy": "toys.{toy}"}


def run(job: Job) -> None:
    """Compute the toy once per seed."""
    compute = registry.get("toys", job.params["toy"])
    rows_of_seeds = []
    for seed in job.params["seeds"]:
        measurements = compute(generator=torch.Generator().manual_seed(seed))
        named_measurements = (one._replace(entry=job.names["toy"]) for one in measurements)
        rows_of_seeds += [
            {"seed": seed} | row for row in rows.from_measurements("toy", named_measurements)
        ]
    rows.write(job.writes["results"], rows_of_seeds, rows.RUN)
