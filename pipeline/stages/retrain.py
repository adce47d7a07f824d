"""Stage retrain: a network trained on, from what the defence ``retrain_from`` ended with."""

from pipeline.run.job import Job
from pipeline.stages._training import train

JOBS = {"setting": "settings", "defence": "retrain", "seed": "seeds"}
READS = ["data", ("start", "model", {"defence": "{retrain_from}"})]
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
    "training": "retrain.{defence}",
    "start": "retrain_from",
}
DEVICE = "gpu"


def run(job: Job) -> None:
    """Train it on."""
    train(job, job.params["defence"], job.file("start"))
