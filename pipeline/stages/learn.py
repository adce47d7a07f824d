"""Stage learn: learnability of the images of one run, clean and adversarial, by networks.

writes  .../learning/{learning}.csv  the rows of one method of learning/; of one that names attacks,
        ``network_accuracy`` of every set: accuracy of the run's own network on it

A method that names ``attacks`` learns from training images: a set of the first ``images`` of them
as they are, and per attack a set of its examples of the same images, all of them, in 8 bits, with
the true labels. "One Bit Matters", arXiv 1810.09650, section 4.1, memorises "all the training data"
and leaves out none on which an attack failed; ``network_accuracy`` is the fraction still correct.
"""

from collections.abc import Iterator
from functools import partial

from pipeline.results import rows
from pipeline.results.layer_pass import adversarial_inputs
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
    """Run the learning method on the run's images and write its measurements."""
    entry = job.params["learning"]
    config = registry.config("learning", entry)
    model = load.trained(job, job.file("model"))
    train = load.training_images(job).to(job.device)
    sets = {}
    if hasattr(config, "attacks"):
        learned_images = Images(*(tensor[: config.images] for tensor in train))
        sets = _sets(job, model, config.attacks, learned_images)
    task = Task(
        model=model,
        build=partial(load.untrained, job),
        train=train,
        test=load.test_images(job).to(job.device),
        sets=sets,
    )
    measurements = [*_accuracies(model, sets)]
    measurements += registry.get("learning", entry)(task, generator=job.generator)
    named_measurements = (one._replace(entry=job.names["learning"]) for one in measurements)
    rows.write(job.writes["learning"], rows.from_measurements("learn", named_measurements))


def _sets(job: Job, model: Network, attacks: tuple[str, ...], clean: Images) -> dict[str, Images]:
    """Sets of images: clean first, then per attack its examples, clean where it failed."""
    x, y = to_float(clean.images), clean.labels
    sets = {"clean": clean}
    for name in attacks:
        adversarial = adversarial_inputs(
            model, job.params["attacks"][name], x, y, generator=job.generator
        )
        sets[name] = Images(to_bytes(adversarial), y)
    return sets


def _accuracies(model: Network, sets: dict[str, Images]) -> Iterator[Measurement]:
    for name, (images, labels) in sets.items():
        is_correct = correct(model, to_float(images), labels)
        yield fraction(NETWORK_ACCURACY, is_correct)._replace(input=name)
