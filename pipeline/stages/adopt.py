"""Stage adopt: a network that the study did not train, from its source, in place of a training.

writes  .../model.safetensors  its source and its sha256, by which later jobs know it again; it
                               holds no weights: they build it from the source anew
"""

from pipeline.run import external
from pipeline.run.job import Job

JOBS = {"setting": "settings", "defence": "defences", "seed": "seeds"}
READS = ["data"]
WRITES = {"model": "{dataset}/{model}/{defence}/{seed}/model.safetensors"}
PARAMS = {"dataset": "datasets.{dataset}", "defence": "defences.{defence}"}
FILES = ["{network}"]
NEEDS = "defences.{defence}.network"
DEVICE = "gpu"


def run(job: Job) -> None:
    """Build the network, check that it classifies the data set's images, and record it."""
    external.record(job)
