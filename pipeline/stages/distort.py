"""Stage distort: one trained network on distorted test images, clean or adversarial.

writes  .../distortions.csv  per distortion, level (the value that the entry sweeps) and input:
        accuracy, loss, and each of ``distorted.measures`` on every layer, its name before the
        quantity: kde/information_label_bits_lower

The inputs are ``distorted.inputs``: clean, or a snapshot attack made against the finished network.
An image is distorted after it was attacked.
"""

from collections.abc import Iterator

from pipeline.results import rows
from pipeline.results.layer_pass import adversarial_inputs, evaluate_layers
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.run.networks import network
from pipeline.study.quantities import measure_quantity
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
    """Distort the inputs by every entry at every level, and evaluate the network on them."""
    rows.write(job.writes["distortions"], rows.from_measurements("distort", _distorted(job)))


def _distorted(job: Job) -> Iterator[Measurement]:
    images, labels = load.test_images(job)
    x, y = to_float(images, job.device), labels.to(job.device)
    model = network(job, job.params["defence"], job.file("model"))
    distorted = job.params["distorted"]
    measures = {name: job.params["measures"][name] for name in distorted["measures"]}
    for source in distorted["inputs"]:
        inputs = x
        if source != "clean":
            attack = job.params["snapshot_attacks"][source]
            inputs = adversarial_inputs(model, attack, x, y, generator=job.generator)
        for name, entry in job.params["distortions"].items():
            for level, params in registry.sweep(entry):
                distort = registry.get("distortions", params)
                right, measured = evaluate_layers(
                    model, distort(inputs, generator=job.generator), y, measures
                )
                columns = {"entry": name, "input": source, "level": level, "n": len(y)}
                for measurement in (fraction("accuracy", right), *measured):
                    yield measurement._replace(
                        **columns,
                        quantity=measure_quantity(measurement.entry, measurement.quantity),
                    )
