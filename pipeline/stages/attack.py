"""Stage attack: one trained network under one attack; the examples are kept.

reads   .../model.safetensors, results/{study}/{dataset}/data.json
writes  .../attacks/{attack}.safetensors  per image: index in the test set, x_adv, correct (when
                                          clean), success, success_8bit, distance_l2,
                                          distance_linf; and success as others count it (COUNTS of
                                          the attack): last_step, with_black
        .../attacks/{attack}.csv          fractions of the images, median distances of the successes

Of a text, x_adv are its words, ``altered_words`` says how many are others, and success_8bit is
success: nothing is rounded.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Generator, Tensor, nn

from pipeline.results import rows
from pipeline.run import load, paths
from pipeline.run.job import Job
from robustinfo.attacks._success import fooled
from robustinfo.core import registry
from robustinfo.core.batches import EVALUATION_BATCH, batches, correct
from robustinfo.core.measurement import Measurement, counted, fraction
from robustinfo.core.sealed import seal
from robustinfo.core.settings import Entry
from robustinfo.distortions import eight_bit
from robustinfo.judge.attacked import audited
from robustinfo.judge.defended import attack_term
from robustinfo.maths.balls import distance

COUNT = "attack_success_rate_"  # of successes that are counted in another way


def run(job: Job) -> None:
    """Attack the test images and judge every example again, as it is and rounded to 8 bits."""
    model = load.trained(job, job.path(paths.MODEL))
    found = examples(job, model, job.params["attack"], *load.test_images(job))
    found["index"] = torch.arange(len(found["success"]))
    miscounted = found.pop("miscounted")
    counts = {name: mask for name, mask in found.items() if name.startswith(COUNT)}
    seal(
        job.path(paths.EXAMPLES), {name.removeprefix(COUNT): one for name, one in found.items()}, {}
    )
    told = [*_fractions(found, counts), *_distances(found)]
    told.append(fraction("miscounted_fraction", miscounted))
    own = (one._replace(entry=job.names["attack"]) for one in told)
    rows.write(job.path(paths.ATTACK), rows.of("attack", own))


def examples(
    job: Job, model: nn.Module, entry: Entry, images: Tensor, labels: Tensor
) -> dict[str, Tensor]:
    """What the attack of an entry makes of the images on the job's network, per image, on the CPU.

    The keys are those that the stage keeps, without ``index``, other counts of success as their
    quantities are called; and ``miscounted``.
    """
    term = attack_term(job.path(paths.MODEL), model)
    parts = [
        _examples(entry, model, x, y, term, job.generator)
        for x, y in batches(images, labels, EVALUATION_BATCH, job.device)
    ]
    return {name: torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}


def _examples(
    entry: Entry,
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    term: Callable[..., tuple[Tensor, Tensor]] | None,
    generator: Generator,
) -> dict[str, Tensor]:
    """What is kept of one batch. The attack's word is not enough: every success is checked."""
    module = registry.module("attacks", entry)
    settings = {"config": registry.config("attacks", entry), "generator": generator}
    if module.ROLE == "adaptive":
        settings["term"] = term
    extra = {}
    if hasattr(module, "perturb_with_extras"):
        x_adv, success, extra = module.perturb_with_extras(model, x, y, **settings)
    else:
        x_adv, success = module.perturb(model, x, y, **settings)
    extra = {COUNT + name: mask for name, mask in extra.items()}
    right = correct(model, x, y)
    success, miscounted = audited(model, y, x_adv, claimed=success, right=right)
    extra |= {"correct": right, "success": success, "miscounted": miscounted}
    if not x.is_floating_point():
        altered = (x_adv != x).sum(1)
        return extra | {"x_adv": x_adv.int(), "success_8bit": success, "altered_words": altered}
    rounded = eight_bit.from_bytes(eight_bit.to_bytes(x_adv), like=x)
    return extra | {
        "x_adv": x_adv,
        "success_8bit": success & fooled(model, rounded, y),
        "distance_l2": distance(x_adv - x, "l2"),
        "distance_linf": distance(x_adv - x, "linf"),
    }


def _fractions(found: dict[str, Tensor], counts: dict[str, Tensor]) -> Iterator[Measurement]:
    """Accuracies are fractions of all images, success rates of those correct when clean.

    counts: other ways to count successes that the attack has, ``attack_success_rate_last_step`` or
    ``_with_black``: what a paper counts, beside ours.
    """
    right, success = found["correct"], found["success"]
    hits = {
        "attack_success_rate": success,
        "attack_success_rate_8bit": found["success_8bit"],
        **{name: mask & right for name, mask in counts.items()},
    }
    yield fraction("accuracy", right & ~success)
    for name, mask in hits.items():
        yield counted(name, int(mask.sum()), int(right.sum()))


def _distances(found: dict[str, Tensor]) -> Iterator[Measurement]:
    success = found["success"]
    if not success.any():
        return
    for name in ("distance_l2", "distance_linf", "altered_words"):
        if name in found:
            median = found[name][success].median().item()
            yield Measurement(
                f"median_{name.removeprefix('distance_')}", median, n=int(success.sum())
            )
