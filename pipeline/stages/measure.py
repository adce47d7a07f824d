"""Stage measure: measures of the layers of one run, snapshot by snapshot, clean and attacked.

A network that was trained elsewhere has no snapshots: it is measured as it is, without an epoch.

writes  .../measures.csv  per epoch and input (clean, or one of ``snapshot_attacks``): accuracy,
        loss, success rate, and every measure on every layer, with its n, ceiling and saturation;
        the same of ``training_measure`` on the input ``training``; ``snapshot_diagnostics``

The adversarial inputs are made against each snapshot in turn: those of the finished network would
not be adversarial to earlier snapshots. The input ``training`` is all training images without the
held-out ones, the same that a defence's ``prepare`` gets.
"""

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from pipeline.results import rows
from pipeline.results.layer_pass import adversarial_inputs, evaluate_in_batches, evaluate_layers
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.run.networks import network
from pipeline.run.progress import with_progress
from pipeline.study.external import is_external
from robustinfo.core.batches import EVALUATION_BATCH, batches, to_float
from robustinfo.core.measurement import Measurement, count_fraction, fraction
from robustinfo.evaluation.evidence import run_diagnostics
from robustinfo.models._network import Network
from robustinfo.training.loop import Images

JOBS = {"setting": "settings", "defence": "defences", "seed": "seeds"}
READS = ["data", "model", "snapshots"]
WRITES = {"measures": "{dataset}/{model}/{defence}/{seed}/measures.csv"}
PARAMS = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "defence": "defences.{defence}",
    "evaluation_images": "evaluation_images",
    "training_images": "training_images",
    "validation_share": "validation_share",
    "measures": "measures",
    "snapshot_attacks": "snapshot_attacks",
    "snapshot_diagnostics": "snapshot_diagnostics",
    "training_measure": "training_measure",
}
DEVICE = "gpu"


def run(job: Job) -> None:
    """Measure every snapshot on the test images, and on its training images if asked."""
    images, labels = load.test_images(job)
    x, y = to_float(images, job.device), labels.to(job.device)
    measurements = []
    trained_on = load.training_and_validation(job)[0] if job.params["training_measure"] else None
    snapshots = _snapshots(job)
    for file, epoch in with_progress(snapshots, len(snapshots), "snapshot"):
        model = network(job, job.params["defence"], file)
        of_snapshot = _measure_snapshot(job, model, x, y, trained_on)
        measurements += [one._replace(epoch=epoch) for one in of_snapshot]
    rows.write(job.writes["measures"], rows.from_measurements("measure", measurements, n=len(y)))


def _snapshots(job: Job) -> list[tuple[Path, int | None]]:
    """(file, epoch) of every snapshot; of a network trained elsewhere, itself, without an epoch."""
    if is_external(job.params["defence"]):
        return [(job.file("model"), None)]
    files = sorted(job.file("snapshots").glob("epoch_*.safetensors"))
    return [(file, int(file.stem.removeprefix("epoch_"))) for file in files]


def _measure_snapshot(
    job: Job, model: Network, x: Tensor, y: Tensor, trained_on: Images | None
) -> Iterator[Measurement]:
    """Measurements of one snapshot. Under attack, correct means correct clean and attacked."""
    clean_correct, measured = evaluate_layers(model, x, y, job.params["measures"])
    yield from _with_input("clean", clean_correct, measured)
    for name, entry in job.params["snapshot_attacks"].items():
        x_adv = adversarial_inputs(model, entry, x, y, generator=job.generator)
        resists, measured = evaluate_layers(model, x_adv, y, job.params["measures"])
        yield from _with_input(name, clean_correct & resists, measured)
        if attacked := int(clean_correct.sum()):
            turned = int((clean_correct & ~resists).sum())
            yield count_fraction("attack_success_rate", turned, attacked)._replace(input=name)
    if trained_on is not None:
        name = job.params["training_measure"]
        parts = batches(*trained_on, EVALUATION_BATCH, job.device)
        yield from _with_input(
            "training", *evaluate_in_batches(model, parts, name, job.params["measures"][name])
        )
    entries = job.params["snapshot_diagnostics"]
    for measurement in run_diagnostics(model, x, y, entries, resisting={}, generator=job.generator):
        yield measurement._replace(input=measurement.input or "clean")


def _with_input(
    name: str, is_correct: Tensor, measured: list[Measurement]
) -> Iterator[Measurement]:
    for measurement in (fraction("accuracy", is_correct), *measured):
        yield measurement._replace(
            input=name, n=len(is_correct) if measurement.n is None else measurement.n
        )
