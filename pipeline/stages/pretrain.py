"""Stage pretrain: a network trained from random weights, with or without a defence."""

from pipeline.run.job import Job
from pipeline.stages._training import train

JOBS = {"setting": "settings", "defence": "pretrain", "seed": "seeds"}
READS = ["data"]
WRITES = {
    "model": "{dataset}/{model}/{defence}/{seed}/model.safetensors",
    "snapshots": "{dataset}/{model}/{defence}/{seed}/snapshots",
    "history": "{dataset}/{model}/{defence}/{seed}/history.csv",
}
PARAMS = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "defence": "defences.{defence}",
    "training_images": "training_images",
    "validation_share": "validation_share",
    "training": "pretrain.{defence}",
}
DEVICE = "gpu"


def run(job: Job) -> None:
    """Train it."""
    train(job, job.params["defence"])
