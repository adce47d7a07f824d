"""Stage attack: one trained network under one attack; the examples are kept.

reads   .../model.safetensors, results/{study}/{dataset}/data.json
writes  .../attacks/{attack}.safetensors  per image: index in the test set, x_adv, correct (when
                                          clean), success, success_8bit, distance_l2, distance_linf
        .../attacks/{attack}.csv          fractions of the images, median distances of the successes

Of a text, x_adv are its words, ``altered_words`` says how many are others, and success_8bit is
success: nothing is rounded.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pipeline import load, paths, rows
from pipeline.stage import Job, main
from robustinfo import catalogue
from robustinfo.auditing import audited
from robustinfo.batches import EVALUATION_BATCH, batches, correct
from robustinfo.defended import attack_term
from robustinfo.distortions import eight_bit
from robustinfo.maths.balls import distance
from robustinfo.sealed import seal


def run(job: Job) -> None:
    """Attack the test images and judge every example again, as it is and rounded to 8 bits."""
    images, labels = load.test_images(job)
    model = load.trained(job, job.path(paths.MODEL))
    term = attack_term(job.path(paths.MODEL), model)
    parts = [
        _examples(job, model, x, y, term)
        for x, y in batches(images, labels, EVALUATION_BATCH, job.device)
    ]
    found = {name: torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}
    found["index"] = torch.arange(len(labels))
    black, miscounted = found.pop("black", None), found.pop("miscounted")
    seal(job.path(paths.EXAMPLES), found, {})
    values = _fractions(found, black) | _distances(found)
    values["miscounted_share"] = (miscounted.double().mean().item(), len(labels))
    rows.write(
        job.path(paths.ATTACK),
        (
            {"stage": "attack", "entry": job.names["attack"], "quantity": name, "value": v, "n": n}
            for name, (v, n) in values.items()
        ),
    )


def _examples(
    job: Job,
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    term: Callable[..., tuple[Tensor, Tensor]] | None,
) -> dict[str, Tensor]:
    """What is kept of one batch. The attack's word is not enough: every success is checked."""
    module = catalogue.module("attacks", job.params["attack"])
    settings = {"config": catalogue.config("attacks", job.params["attack"])}
    settings["generator"] = job.generator
    if module.ROLE == "adaptive":
        settings["term"] = term
    extra = {}
    if hasattr(module, "perturb_counting_black"):
        x_adv, success, extra["black"] = module.perturb_counting_black(model, x, y, **settings)
    else:
        x_adv, success = module.perturb(model, x, y, **settings)
    right = correct(model, x, y)
    success, miscounted = audited(model, y, x_adv, claimed=success, right=right)
    extra |= {"correct": right, "success": success, "miscounted": miscounted}
    if not x.is_floating_point():
        altered = (x_adv != x).sum(1)
        return extra | {"x_adv": x_adv.int(), "success_8bit": success, "altered_words": altered}
    rounded = eight_bit.from_bytes(eight_bit.to_bytes(x_adv), like=x)
    return extra | {
        "x_adv": x_adv,
        "success_8bit": success & ~correct(model, rounded, y),
        "distance_l2": distance(x_adv - x, "l2"),
        "distance_linf": distance(x_adv - x, "linf"),
    }


def _fractions(found: dict[str, Tensor], black: Tensor | None) -> dict[str, tuple]:
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
    if black is not None:  # what counting the library's black failure images would report
        values["attack_success_rate_with_black"] = rate(success | black)
    return values


def _distances(found: dict[str, Tensor]) -> dict[str, tuple]:
    success = found["success"]
    if not success.any():
        return {}
    n = int(success.sum())
    return {
        f"median_{name.removeprefix('distance_')}": (found[name][success].median().item(), n)
        for name in ("distance_l2", "distance_linf", "altered_words")
        if name in found
    }


if __name__ == "__main__":
    main(run, "attack")
