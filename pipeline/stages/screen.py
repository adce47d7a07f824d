"""Stage screen: one candidate of the selection, on training images that it never saw.

reads   .../model.safetensors, results/{study}/{dataset}/data.json
writes  results/{study}/{dataset}/{model}/selection/{defence}/{seed}.csv  accuracy under the
        selection's attack, with the layers that the defence is applied to

The test images decide nothing here: what is reported on them later would be too good.
"""

import torch

from pipeline.results import rows
from pipeline.run import load, paths
from pipeline.run.job import Job
from robustinfo.core import registry
from robustinfo.core.batches import EVALUATION_BATCH, batches, correct
from robustinfo.core.measurement import fraction


def run(job: Job) -> None:
    """Attack the held-out images."""
    model = load.trained(job, job.path(paths.MODEL))
    _, held_out = load.parts(job)
    perturb = registry.get("attacks", job.params["attacks"][job.params["selection"]["attack"]])
    robust = [
        correct(model, x, y) & ~perturb(model, x, y, generator=job.generator)[1]
        for x, y in batches(*held_out, EVALUATION_BATCH, job.device)
    ]
    found = fraction("attack_accuracy", torch.cat(robust))
    found = found._replace(layer="+".join(job.params["defence"].get("layers", [])))
    rows.write(job.path(paths.SCREENED), rows.of("select", [found]))
