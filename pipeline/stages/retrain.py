"""Stage retrain: training continued from the finished weights of the defence ``retrain_from``."""

from pipeline.run.job import Job
from pipeline.stages._training import CHECKPOINT, TRAINED, train

JOBS = {"setting": "settings", "defence": "retrain", "seed": "seeds"}
READS = ["data", ("start", "model", {"defence": "{retrain_from}"})]
WRITES = CHECKPOINT
PARAMS = {**TRAINED, "training": "retrain.{defence}", "start": "retrain_from"}
DEVICE = "gpu"


def run(job: Job) -> None:
    """Train the network."""
    train(job, job.params["defence"], job.file("start"))
