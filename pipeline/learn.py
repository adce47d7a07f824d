"""Stage learn: what networks need to learn the images of one run, and what they learn from them.

reads   .../model.safetensors, .../attacks/*.safetensors, results/{study}/{dataset}/data.json
writes  .../learning/{learning}.csv  the rows of one method of learning/

A method that names ``attacks`` learns from the images that all of them still turn after rounding to
8 bits: a set per attack, with the true labels, and the same images clean.
"""

from functools import partial

import torch
from torch import Tensor

from pipeline import load, paths, rows
from pipeline.stage import Job
from robustinfo import catalogue
from robustinfo.distortions.eight_bit import to_bytes
from robustinfo.learning._task import Task
from robustinfo.sealed import unseal
from robustinfo.training import Images


def run(job: Job) -> None:
    """Hand the run to the method and write down what it finds."""
    entry = job.params["learning"]
    task = _task(job, getattr(catalogue.config("learning", entry), "attacks", ()))
    found = catalogue.get("learning", entry)(task, generator=job.generator)
    own = (one._replace(entry=job.names["learning"]) for one in found)
    rows.write(job.path(paths.LEARNING), rows.of("learn", own))


def _task(job: Job, attacks: tuple[str, ...]) -> Task:
    test = load.test_images(job)
    sets = {name: one.to(job.device) for name, one in _sets(job, attacks, *test).items()}
    return Task(
        model=load.trained(job, job.path(paths.MODEL)),
        build=partial(load.untrained, job),
        train=load.training_images(job).to(job.device),
        test=test.to(job.device),
        sets=sets,
    )


def _sets(job: Job, attacks: tuple[str, ...], images: Tensor, labels: Tensor) -> dict[str, Images]:
    """Clean first, then every attack."""
    examples = {attack: unseal(job.path(paths.EXAMPLES, attack=attack))[0] for attack in attacks}
    hit = torch.ones(len(labels), dtype=torch.bool)
    for found in examples.values():
        hit &= found["success_8bit"]
    adversarial = {name: to_bytes(found["x_adv"][hit]) for name, found in examples.items()}
    inputs = {"clean": images[hit]} | adversarial
    return {name: Images(given, labels[hit]) for name, given in inputs.items()}
