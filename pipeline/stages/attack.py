"""Stage attack: one trained network under one attack; the examples are kept.

writes  .../attacks/{attack}.safetensors  per image: index in the test set, x_adv, correct (when
                                          clean), success, success_8bit, distance_l2,
                                          distance_linf; and success as others count it (COUNTS of
                                          the attack): last_step, with_black
        .../attacks/{attack}.csv          fractions of the images, median distances of the successes

Of a text, x_adv are its words, ``altered_words`` says how many are others, and success_8bit is
success: nothing is rounded.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from pipeline.results import rows
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.stages._attacked import COUNT, attacked, examples
from robustinfo.core.measurement import Measurement, count_fraction, fraction
from robustinfo.core.sealed import seal

JOBS = {"setting": "settings", "defence": "defences", "seed": "seeds", "attack": "attacks"}
READS = ["data", "model"]
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
    """Attack the test images and judge every example again, as it is and rounded to 8 bits."""
    model, term = attacked(job)
    found = examples(job, model, term, job.params["attack"], *load.test_images(job))
    found["index"] = torch.arange(len(found["success"]))
    miscounted = found.pop("miscounted")
    counts = {name: mask for name, mask in found.items() if name.startswith(COUNT)}
    seal(job.writes["examples"], {name.removeprefix(COUNT): one for name, one in found.items()}, {})
    told = [*_fractions(found, counts), *_distances(found)]
    told.append(fraction("miscounted_fraction", miscounted))
    own = (one._replace(entry=job.names["attack"]) for one in told)
    rows.write(job.writes["attacked"], rows.of("attack", own))


def _fractions(found: dict[str, Tensor], counts: dict[str, Tensor]) -> Iterator[Measurement]:
    """Accuracies are fractions of all images, success rates of those correct when clean.

    counts: other ways to count successes that the attack has, ``attack_success_rate_last_step`` or
    ``_with_black``: what a paper counts, beside ours.
    """
    right, success = found["correct"], found["success"]
    hits = {
        "attack_success_rate": success,
        "attack_success_rate_8bit": found["success_8bit"],
        **{name: mask & right for name, mask in counts.items()},
    }
    yield fraction("accuracy", right & ~success)
    for name, mask in hits.items():
        yield count_fraction(name, int(mask.sum()), int(right.sum()))


def _distances(found: dict[str, Tensor]) -> Iterator[Measurement]:
    success = found["success"]
    if not success.any():
        return
    for name in ("distance_l2", "distance_linf", "altered_words"):
        if name in found:
            median = found[name][success].median().item()
            yield Measurement(
                f"median_{name.removeprefix('distance_')}", median, n=int(success.sum())
            )
