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
from pipeline.stage import Job, main
from robustinfo.batches import floats


def run(job: Job) -> None:
    """Measure every snapshot on the test images."""
    images, labels = load.test_images(job)
    x, y = floats(images, job.device), labels.to(job.device)
    snapshots = sorted(job.path(paths.SNAPSHOTS).glob("epoch_*.safetensors"))
    found = []
    for file in followed(snapshots, len(snapshots), "snapshot"):
        about = {"stage": "measure", "epoch": int(file.stem.removeprefix("epoch_"))}
        found += [about | row for row in _snapshot(job, file, x, y)]
    rows.write(job.path(paths.MEASURES), found)


def _snapshot(job: Job, file: Path, x: Tensor, y: Tensor) -> Iterator[dict]:
    """Under attack, what is right is what was right before and still is."""
    model = load.trained(job, file)
    right, measured = observed(model, x, y, job.params["measures"])
    yield from _input("clean", right, measured)
    for name, entry in job.params["snapshot_attacks"].items():
        x_adv = crafted(model, entry, x, y, generator=job.generator)
        resists, measured = observed(model, x_adv, y, job.params["measures"])
        yield from _input(name, right & resists, measured)
        if attacked := int(right.sum()):
            rate = int((right & ~resists).sum()) / attacked
            row = {"quantity": "attack_success_rate", "value": rate, "n": attacked}
            yield {"input": name} | row


def _input(name: str, right: Tensor, measured: list[dict]) -> Iterator[dict]:
    accuracy = right.double().mean().item()
    yield {"input": name, "quantity": "accuracy", "value": accuracy, "n": len(right)}
    yield from ({"input": name} | row for row in measured)


if __name__ == "__main__":
    main(run, "measure")
