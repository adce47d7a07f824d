"""Stage attack: one trained network under one attack; the examples are stored.

writes  .../attacks/{attack}.safetensors  per image: index in the test set, x_adv, correct (when
                                          clean), success, success_8bit, distance_linf,
                                          distance_l2, distance_l1; and success in other counts
                                          (COUNTS of the attack): last_step, with_black
        .../attacks/{attack}.csv          fractions of the images, median distances of the successes

With ``images_per_job``, the stage attack_slice attacks, and the examples of all slices are joined
here. Of a text, x_adv are its words, ``altered_words`` is the number of those that differ, and
success_8bit equals success: nothing is rounded.
"""

from collections.abc import Iterator
from typing import get_args

import torch
from torch import Tensor

from pipeline.results import rows
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.stages._attack_examples import COUNT, examples, join, network_and_term
from robustinfo.core.measurement import Measurement, count_fraction, fraction
from robustinfo.core.sealed import seal
from robustinfo.core.settings import Norm

JOBS = {"setting": "settings", "defence": "defences", "seed": "seeds", "attack": "attacks"}
READS = ["data", "model", ("slices", "slice", {})]  # type: ignore[var-annotated]
WRITES = {
    "examples": "{dataset}/{model}/{defence}/{seed}/attacks/{attack}.safetensors",
    "attacked": "{dataset}/{model}/{defence}/{seed}/attacks/{attack}.csv",
}
PARAMS = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "defence": "defences.{defence}",
    "evaluation_images": "evaluation_images",
    "attack": "attacks.{attack}",
}
DEVICE = "gpu"


def run(job: Job) -> None:
    """Attack the test images and verify every example, as it is and rounded to 8 bits."""
    slices = job.paths("slices")
    stored = join(slices, job.writes["examples"].parent) if slices else _attack(job)
    stored["index"] = torch.arange(len(stored["success"]))
    miscounted = stored.pop("miscounted")
    counts = {name: mask for name, mask in stored.items() if name.startswith(COUNT)}
    tensors = {name.removeprefix(COUNT): tensor for name, tensor in stored.items()}
    seal(job.writes["examples"], tensors, {})
    measurements = [*_fractions(stored, counts), *_distances(stored)]
    measurements.append(fraction("miscounted_fraction", miscounted))
    named_measurements = (one._replace(entry=job.names["attack"]) for one in measurements)
    rows.write(job.writes["attacked"], rows.from_measurements("attack", named_measurements))


def _attack(job: Job) -> dict[str, Tensor]:
    model, term = network_and_term(job)
    return examples(job, model, term, job.params["attack"], *load.test_images(job))


def _fractions(stored: dict[str, Tensor], counts: dict[str, Tensor]) -> Iterator[Measurement]:
    """Accuracy over all images, and success rates over those correct when clean.

    counts: {quantity: (n,) bool} of successes that a paper counts in another way,
    ``attack_success_rate_last_step`` or ``_with_black``.
    """
    clean_correct, success = stored["correct"], stored["success"]
    successes = {
        "attack_success_rate": success,
        "attack_success_rate_8bit": stored["success_8bit"],
        **{name: mask & clean_correct for name, mask in counts.items()},
    }
    yield fraction("accuracy", clean_correct & ~success)
    for name, mask in successes.items():
        yield count_fraction(name, int(mask.sum()), int(clean_correct.sum()))


def _distances(stored: dict[str, Tensor]) -> Iterator[Measurement]:
    success = stored["success"]
    if not success.any():
        return
    for name in (*(f"distance_{norm}" for norm in get_args(Norm)), "altered_words"):
        if name in stored:
            median = stored[name][success].median().item()
            yield Measurement(
                f"median_{name.removeprefix('distance_')}", median, n=int(success.sum())
            )
