"""Stage measure: what the layers of one run carry, snapshot by snapshot, clean and attacked.

reads   .../snapshots/epoch_*.safetensors, results/{study}/{dataset}/data.json
writes  .../measures.csv  per epoch and input (clean, or one of ``snapshot_attacks``): accuracy,
        success rate, and every measure on every layer, with its n, ceiling and saturation

The adversarial inputs are made against each snapshot in turn: those of the finished network would
not be adversarial to its younger selves.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from pipeline import load, paths, rows
from pipeline.progress import followed
from pipeline.stage import Job, main
from robustinfo import catalogue
from robustinfo.batches import EVALUATION_BATCH, correct, floats
from robustinfo.models._network import Network


def run(job: Job) -> None:
    """Measure every snapshot on the test images."""
    images, labels = load.test_images(job)
    x, y = floats(images, job.device), labels.to(job.device)
    snapshots = sorted(job.path(paths.SNAPSHOTS).glob("epoch_*.safetensors"))
    found = []
    for file in followed(snapshots, len(snapshots), "snapshot"):
        epoch = int(file.stem.removeprefix("epoch_"))
        found += [{"epoch": epoch} | row for row in _snapshot(job, file, x, y)]
    rows.write(job.path(paths.MEASURES), found)


def _snapshot(job: Job, file: Path, x: Tensor, y: Tensor) -> Iterator[dict]:
    model = load.trained(job, file)
    right = correct(model, x, y)
    yield _row("clean", "accuracy", right.double().mean().item(), len(y))
    yield from _measured(job, model, "clean", x, y)
    for name, entry in job.params["snapshot_attacks"].items():
        parts = [
            _attacked(job, model, entry, a, b)
            for a, b in zip(x.split(EVALUATION_BATCH), y.split(EVALUATION_BATCH), strict=True)
        ]
        x_adv = torch.cat(parts)
        hits, attacked = int((right & ~correct(model, x_adv, y)).sum()), int(right.sum())
        yield _row(name, "accuracy", (attacked - hits) / len(y), len(y))
        if attacked:
            yield _row(name, "attack_success_rate", hits / attacked, attacked)
        yield from _measured(job, model, name, x_adv, y)


def _attacked(job: Job, model: Network, entry: dict, x: Tensor, y: Tensor) -> Tensor:
    """The attack's own images where its file has ``craft``; else its successes, the rest clean."""
    module, config = catalogue.module("attacks", entry), catalogue.config("attacks", entry)
    if hasattr(module, "craft"):
        return module.craft(model, x, y, config=config, generator=job.generator)
    return module.perturb(model, x, y, config=config, generator=job.generator)[0]


def _measured(job: Job, model: Network, name: str, x: Tensor, y: Tensor) -> Iterator[dict]:
    for entry, params in job.params["measures"].items():
        module, estimate = catalogue.module("measures", params), catalogue.get("measures", params)
        layers = {}
        for layer, t in _activations(model, x, getattr(model, module.POINTS)).items():
            layers[layer] = estimate(t, y)
        found = [(layer, *item) for layer, values in layers.items() for item in values.items()]
        if hasattr(module, "combine"):
            found += [("network", *item) for item in module.combine(layers).items()]
        for layer, quantity, (value, ceiling, saturated) in found:
            yield _row(name, quantity, value, len(y)) | {
                "entry": entry,
                "layer": layer,
                "ceiling": ceiling,
                "saturated": saturated,
            }


@torch.no_grad()
def _activations(model: Network, x: Tensor, points: tuple[str, ...]) -> dict[str, Tensor]:
    parts = [model.observe(batch, points)[1] for batch in x.split(EVALUATION_BATCH)]
    return {layer: torch.cat([part[layer] for part in parts]) for layer in parts[0]}


def _row(name: str, quantity: str, value: float, n: int) -> dict:
    return {"stage": "measure", "input": name, "quantity": quantity, "value": value, "n": n}


if __name__ == "__main__":
    main(run, "measure")
