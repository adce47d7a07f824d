"""Stage toy: a computation of a paper that needs no data set and no trained network.

writes  results/{study}/collected/{toy}.csv  its rows for every seed of the study
"""

import torch

from pipeline import paths, rows
from pipeline.stage import Job, main
from robustinfo import catalogue


def run(job: Job) -> None:
    """Compute the toy once per seed."""
    compute = catalogue.get("toys", job.params["toy"])
    names = {"stage": "toy", "entry": job.names["toy"]}
    found = [
        {"seed": seed} | names | row
        for seed in job.params["seeds"]
        for row in compute(generator=torch.Generator().manual_seed(seed))
    ]
    rows.write(job.path(paths.TOY), found, rows.RUN)


if __name__ == "__main__":
    main(run, "toy")
