"""Stage learn: what networks need to learn the images of one run, and what they learn from them.

writes  .../learning/{learning}.csv  the rows of one method of learning/; of one that names attacks,
        ``network_accuracy`` of every set: what the run's network gets right of it

A method that names ``attacks`` learns from training images: a set of the first ``images`` of them
as they are, and per attack a set of what it makes of the same images, all of them, in 8 bits, with
the true labels. "One Bit Matters", arXiv 1810.09650, section 4.1, memorises "all the training data"
and leaves none out that an attack did not turn; how many it did turn, ``network_accuracy`` tells.
"""

from collections.abc import Iterator
from functools import partial

from pipeline.results import rows
from pipeline.results.layer_pass import crafted
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.study.quantities import NETWORK_ACCURACY
from robustinfo.core import registry
from robustinfo.core.batches import correct, to_float
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.distortions.eight_bit import to_bytes
from robustinfo.learning._task import Task
from robustinfo.models._network import Network
from robustinfo.training.loop import Images

JOBS = {"setting": "settings", "defence": "defences", "seed": "seeds", "learning": "learning"}
READS = ["data", "model"]
WRITES = {"learning": "{dataset}/{model}/{defence}/{seed}/learning/{learning}.csv"}
PARAMS = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "defence": "defences.{defence}",
    "evaluation_images": "evaluation_images",
    "training_images": "training_images",
    "learning": "learning.{learning}",
    "attacks": ("attacks", "learning.attacks"),
}
DEVICE = "gpu"


def run(job: Job) -> None:
    """Hand the run to the method and write down what it finds."""
    entry = job.params["learning"]
    config = registry.config("learning", entry)
    model = load.trained(job, job.file("model"))
    train = load.training_images(job).to(job.device)
    sets = {}
    if hasattr(config, "attacks"):
        few = Images(*(part[: config.images] for part in train))
        sets = _sets(job, model, config.attacks, few)
    task = Task(
        model=model,
        build=partial(load.untrained, job),
        train=train,
        test=load.test_images(job).to(job.device),
        sets=sets,
    )
    found = [*_accuracies(model, sets)]
    found += registry.get("learning", entry)(task, generator=job.generator)
    own = (one._replace(entry=job.names["learning"]) for one in found)
    rows.write(job.writes["learning"], rows.of("learn", own))


def _sets(job: Job, model: Network, attacks: tuple[str, ...], clean: Images) -> dict[str, Images]:
    """Clean first, then every attack, which ends at an image of its own or fails and leaves it."""
    x, y = to_float(clean.images), clean.labels
    sets = {"clean": clean}
    for name in attacks:
        made = crafted(model, job.params["attacks"][name], x, y, generator=job.generator)
        sets[name] = Images(to_bytes(made), y)
    return sets


def _accuracies(model: Network, sets: dict[str, Images]) -> Iterator[Measurement]:
    for name, (images, labels) in sets.items():
        right = correct(model, to_float(images), labels)
        yield fraction(NETWORK_ACCURACY, right)._replace(input=name)
