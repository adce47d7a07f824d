"""Stage pretrain: a network trained from random weights, with or without a defence."""

from pipeline.run.job import Job
from pipeline.stages._training import CHECKPOINT, TRAINED, train

JOBS = {"setting": "settings", "defence": "pretrain", "seed": "seeds"}
READS = ["data"]
WRITES = CHECKPOINT
PARAMS = {**TRAINED, "training": "pretrain.{defence}"}
DEVICE = "gpu"


def run(job: Job) -> None:
    """Train the network."""
    train(job, job.params["defence"])
