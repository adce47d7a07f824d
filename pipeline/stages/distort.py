"""Stage distort: one trained network on distorted test images, clean or attacked before.

writes  .../distortions.csv  per distortion, level (the value that the entry sweeps) and input:
        accuracy, loss, and what each of ``distorted.measures`` says of every layer, its name
        before the quantity: kde/information_label_bits_lower

The inputs are ``distorted.inputs``: clean, or a snapshot attack made against the finished network.
An image is distorted after it was attacked.
"""

from collections.abc import Iterator

from pipeline.results import rows
from pipeline.results.layer_pass import crafted, observed
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.study.quantities import said_by
from robustinfo.core import registry
from robustinfo.core.batches import to_float
from robustinfo.core.measurement import Measurement, fraction

JOBS = {"setting": "settings", "defence": "defences", "seed": "seeds"}
READS = ["data", "model"]
WRITES = {"distortions": "{dataset}/{model}/{defence}/{seed}/distortions.csv"}
PARAMS = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "defence": "defences.{defence}",
    "evaluation_images": "evaluation_images",
    "distortions": "distortions",
    "distorted": "distorted",
    "snapshot_attacks": ("snapshot_attacks", "distorted.inputs"),
    "measures": ("measures", "distorted.measures"),
}
NEEDS = "distortions"
DEVICE = "gpu"


def run(job: Job) -> None:
    """Distort the inputs by every entry at every level, and observe the network on them."""
    rows.write(job.writes["distortions"], rows.of("distort", _distorted(job)))


def _distorted(job: Job) -> Iterator[Measurement]:
    images, labels = load.test_images(job)
    x, y = to_float(images, job.device), labels.to(job.device)
    model = load.trained(job, job.file("model"))
    distorted = job.params["distorted"]
    measures = {name: job.params["measures"][name] for name in distorted["measures"]}
    for source in distorted["inputs"]:
        given = x
        if source != "clean":
            attack = job.params["snapshot_attacks"][source]
            given = crafted(model, attack, x, y, generator=job.generator)
        for name, entry in job.params["distortions"].items():
            for level, params in registry.sweep(entry):
                distort = registry.get("distortions", params)
                right, measured = observed(
                    model, distort(given, generator=job.generator), y, measures
                )
                about = {"entry": name, "input": source, "level": level, "n": len(y)}
                for one in (fraction("accuracy", right), *measured):
                    yield one._replace(**about, quantity=said_by(one.entry, one.quantity))
