"""Stage attack: one trained network under one attack; the examples are kept.

reads   .../model.safetensors, results/{study}/{dataset}/data.json
writes  .../attacks/{attack}.safetensors  per image: index, x_adv, correct (when clean), success,
                                          success_8bit, distance_l2, distance_linf
        .../attacks/{attack}.csv          fractions of the images, median distances of the successes
"""

import torch
from torch import Tensor, nn

from pipeline import load, paths, rows
from pipeline.stage import Job, main
from robustinfo import catalogue
from robustinfo.batches import EVALUATION_BATCH, batches, correct
from robustinfo.distortions import eight_bit
from robustinfo.maths.balls import distance
from robustinfo.sealed import seal


def run(job: Job) -> None:
    """Attack the test images and judge every example again after rounding to 8 bits."""
    images, labels = load.test_images(job)
    model = load.trained(job, job.path(paths.MODEL))
    attack = catalogue.get("attacks", job.params["attack"])
    parts = []
    for x, y in batches(images, labels, EVALUATION_BATCH, job.device):
        x_adv, success = attack(model, x, y, generator=job.generator)
        parts.append(_examples(model, x, y, x_adv, success))
    found = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    found["index"] = torch.arange(len(labels))
    seal(job.path(paths.EXAMPLES), found, {})

    black_counts = getattr(catalogue.module("attacks", job.params["attack"]), "FAILS_BLACK", False)
    values = _fractions(found, black_counts) | _distances(found)
    rows.write(
        job.path(paths.ATTACK),
        (
            {"stage": "attack", "entry": job.names["attack"], "quantity": name, "value": v, "n": n}
            for name, (v, n) in values.items()
        ),
    )


@torch.no_grad()
def _examples(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    x_adv: Tensor,
    success: Tensor,
) -> dict[str, Tensor]:
    rounded = eight_bit.from_bytes(eight_bit.to_bytes(x_adv), like=x)
    black = torch.zeros_like(x[:1])
    return {
        "x_adv": x_adv.cpu(),
        "correct": correct(model, x, y).cpu(),
        "success": success.cpu(),
        "success_8bit": (success & ~correct(model, rounded, y)).cpu(),
        "black_fools": (model(black).argmax(1) != y).cpu(),
        "distance_l2": distance(x_adv - x, "l2").cpu(),
        "distance_linf": distance(x_adv - x, "linf").cpu(),
    }


def _fractions(found: dict[str, Tensor], black_counts: bool) -> dict[str, tuple]:
    """Accuracies are fractions of all images, success rates of those correct when clean."""
    right, success, n = found["correct"], found["success"], len(found["correct"])
    attacked = int(right.sum())

    def rate(hits: Tensor) -> tuple[float, int]:
        return (int(hits.sum()) / attacked if attacked else float("nan"), attacked)

    values = {
        "accuracy": (int((right & ~success).sum()) / n, n),
        "attack_success_rate": rate(success),
        "attack_success_rate_8bit": rate(found["success_8bit"]),
    }
    if black_counts:  # what counting the library's black failure images would report
        values["attack_success_rate_with_black"] = rate(right & (success | found["black_fools"]))
    return values


def _distances(found: dict[str, Tensor]) -> dict[str, tuple]:
    success = found["success"]
    if not success.any():
        return {}
    n = int(success.sum())
    return {
        f"median_{norm}": (found[f"distance_{norm}"][success].median().item(), n)
        for norm in ("l2", "linf")
    }


if __name__ == "__main__":
    main(run, "attack")
