"""Stage measure: what the layers of one run carry, snapshot by snapshot, clean and attacked.

reads   .../snapshots/epoch_*.safetensors, results/{study}/{dataset}/data.json
writes  .../measures.csv  per epoch and input (clean, or one of ``snapshot_attacks``): accuracy,
        loss, success rate, and every measure on every layer, with its n, ceiling and saturation

The adversarial inputs are made against each snapshot in turn: those of the finished network would
not be adversarial to its younger selves.
"""

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from pipeline import load, paths, rows
from pipeline.observed import crafted, observed
from pipeline.progress import followed
from pipeline.stage import Job
from robustinfo.batches import floats
from robustinfo.measurement import Measurement, counted, fraction


def run(job: Job) -> None:
    """Measure every snapshot on the test images."""
    images, labels = load.test_images(job)
    x, y = floats(images, job.device), labels.to(job.device)
    snapshots = sorted(job.path(paths.SNAPSHOTS).glob("epoch_*.safetensors"))
    found = []
    for file in followed(snapshots, len(snapshots), "snapshot"):
        epoch = int(file.stem.removeprefix("epoch_"))
        found += [one._replace(epoch=epoch) for one in _snapshot(job, file, x, y)]
    rows.write(job.path(paths.MEASURES), rows.of("measure", found, n=len(y)))


def _snapshot(job: Job, file: Path, x: Tensor, y: Tensor) -> Iterator[Measurement]:
    """Under attack, what is right is what was right before and still is."""
    model = load.trained(job, file)
    right, measured = observed(model, x, y, job.params["measures"])
    yield from _input("clean", right, measured)
    for name, entry in job.params["snapshot_attacks"].items():
        x_adv = crafted(model, entry, x, y, generator=job.generator)
        resists, measured = observed(model, x_adv, y, job.params["measures"])
        yield from _input(name, right & resists, measured)
        if attacked := int(right.sum()):
            turned = int((right & ~resists).sum())
            yield counted("attack_success_rate", turned, attacked)._replace(input=name)


def _input(name: str, right: Tensor, measured: list[Measurement]) -> Iterator[Measurement]:
    for one in (fraction("accuracy", right), *measured):
        yield one._replace(input=name)
