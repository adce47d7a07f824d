"""Stage measure: what the layers of one run carry, snapshot by snapshot, clean and attacked.

writes  .../measures.csv  per epoch and input (clean, or one of ``snapshot_attacks``): accuracy,
        loss, success rate, and every measure on every layer, with its n, ceiling and saturation;
        the same of ``training_measure`` on the input ``training``; ``snapshot_diagnostics``

The adversarial inputs are made against each snapshot in turn: those of the finished network would
not be adversarial to its younger selves. The input ``training`` is all that was trained on, without
the held-out images: as a defence's ``prepare`` saw it, which may have taken its target there.
"""

from collections.abc import Iterator

from torch import Tensor

from pipeline.results import rows
from pipeline.results.layer_pass import crafted, in_parts, observed
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.run.progress import followed
from robustinfo.core.batches import EVALUATION_BATCH, batches, to_float
from robustinfo.core.measurement import Measurement, count_fraction, fraction
from robustinfo.judge.evidence import run_diagnostics
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
    """Measure every snapshot on the test images, and on those that it was trained on."""
    images, labels = load.test_images(job)
    x, y = to_float(images, job.device), labels.to(job.device)
    snapshots = sorted(job.file("snapshots").glob("epoch_*.safetensors"))
    found = []
    trained_on = load.parts(job)[0] if job.params["training_measure"] else None
    for file in followed(snapshots, len(snapshots), "snapshot"):
        epoch = int(file.stem.removeprefix("epoch_"))
        told = _snapshot(job, load.trained(job, file), x, y, trained_on)
        found += [one._replace(epoch=epoch) for one in told]
    rows.write(job.writes["measures"], rows.of("measure", found, n=len(y)))


def _snapshot(
    job: Job, model: Network, x: Tensor, y: Tensor, trained_on: Images | None
) -> Iterator[Measurement]:
    """Under attack, what is right is what was right before and still is."""
    right, measured = observed(model, x, y, job.params["measures"])
    yield from _input("clean", right, measured)
    for name, entry in job.params["snapshot_attacks"].items():
        x_adv = crafted(model, entry, x, y, generator=job.generator)
        resists, measured = observed(model, x_adv, y, job.params["measures"])
        yield from _input(name, right & resists, measured)
        if attacked := int(right.sum()):
            turned = int((right & ~resists).sum())
            yield count_fraction("attack_success_rate", turned, attacked)._replace(input=name)
    if trained_on is not None:
        name = job.params["training_measure"]
        parts = batches(*trained_on, EVALUATION_BATCH, job.device)
        yield from _input("training", *in_parts(model, parts, name, job.params["measures"][name]))
    entries = job.params["snapshot_diagnostics"]
    for one in run_diagnostics(model, x, y, entries, resisting={}, generator=job.generator):
        yield one._replace(input="clean")


def _input(name: str, right: Tensor, measured: list[Measurement]) -> Iterator[Measurement]:
    for one in (fraction("accuracy", right), *measured):
        yield one._replace(input=name, n=len(right) if one.n is None else one.n)
