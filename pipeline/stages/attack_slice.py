"""Stage attack_slice: one trained network under one attack, on a slice of the test images.

writes  .../attacks/{attack}/{first}.safetensors  of the ``images_per_job`` images from number
        ``first`` on, what the stage attack writes of all, and joins

Its random numbers depend on the run's seed and on ``first`` alone: the first slice has the seed
itself, any other one that is derived from both (core/seeds.py). How many slices are made at a time
changes nothing. An attack without random numbers finds what it finds in one job,
up to the rounding of other batches.
"""

import torch

from pipeline.run import load
from pipeline.run.job import Job
from pipeline.stages._attack_examples import examples, network_and_term
from robustinfo.core.sealed import seal
from robustinfo.core.seeds import derived_seed

JOBS = {
    "setting": "settings",
    "defence": "defences",
    "seed": "seeds",
    "attack": "attacks",
    "first": "first_images",
}
READS = ["data", "model"]
WRITES = {"slice": "{dataset}/{model}/{defence}/{seed}/attacks/{attack}/{first}.safetensors"}
PARAMS = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "defence": "defences.{defence}",
    "evaluation_images": "evaluation_images",
    "images_per_job": "images_per_job",
    "attack": "attacks.{attack}",
}
DEVICE = "gpu"


def run(job: Job) -> None:
    """Attack the images of the slice and verify every example."""
    images, labels = load.test_images(job)
    first = int(job.names["first"])
    chosen = slice(first, first + job.params["images_per_job"])
    model, term = network_and_term(job)
    _seed(job, first)
    found = examples(job, model, term, job.params["attack"], images[chosen], labels[chosen])
    seal(job.writes["slice"], found, {})


def _seed(job: Job, first: int) -> None:
    """Seed the job's generator, and torch's, by the number of the first image."""
    generator = job.generator
    if first:
        seed = derived_seed(int(job.names["seed"]), first)
        torch.manual_seed(seed)
        generator.manual_seed(seed)
