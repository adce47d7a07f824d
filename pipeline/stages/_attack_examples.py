"""Adversarial examples of an attack on a job's network, with every success verified."""

from math import prod
from pathlib import Path
from typing import get_args

from torch import Generator, Tensor, nn

from pipeline.run import networks
from pipeline.run.job import Job
from pipeline.run.networks import Term
from robustinfo.attacks._success import fooled
from robustinfo.core import registry
from robustinfo.core.batches import batches, correct, memory_batch
from robustinfo.core.gathered import gathered
from robustinfo.core.sealed import is_empty, unseal
from robustinfo.core.settings import Entry, Norm
from robustinfo.distortions import eight_bit
from robustinfo.evaluation.attacks import verify_success
from robustinfo.maths.balls import distance
from robustinfo.models._network import Network

COUNT = "attack_success_rate_"  # begins the quantity of successes that are counted in another way


def network_and_term(job: Job) -> tuple[Network, Term | None]:
    """The job's network, and the loss term of its defence for an adaptive attack (None: none)."""
    return networks.network_and_term(job, job.params["defence"], job.file("model"))


def examples(
    job: Job, model: Network, term: Term | None, entry: Entry, images: Tensor, labels: Tensor
) -> dict[str, Tensor]:
    """{name: (n, ...)} of an attack's examples of the images, on the CPU.

    The names are those that the stage attack writes, without ``index``, with other counts of
    success under the names of their quantities; and ``miscounted``.
    """
    size = memory_batch(prod(images.shape[1:]))
    parts = (
        _examples(entry, model, x, y, term, job.generator)
        for x, y in batches(images, labels, size, job.device)
    )
    return gathered(parts, len(labels), next(iter(job.writes.values())).parent)


def join(files: list[Path], folder: Path) -> dict[str, Tensor]:
    """The examples of all slices, in the order of their images, as ``examples`` returns them.

    A slice is empty where the test set ends before it.
    """
    ordered = sorted((file for file in files if not is_empty(file)), key=lambda one: int(one.stem))
    n = sum(len(unseal(file)[0]["success"]) for file in ordered)
    return gathered((unseal(file)[0] for file in ordered), n, folder)


def _examples(
    entry: Entry,
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    term: Term | None,
    generator: Generator,
) -> dict[str, Tensor]:
    """Examples of one batch. Successes that the attack claims are verified on the network."""
    module = registry.module("attacks", entry)
    settings = {"config": registry.config("attacks", entry), "generator": generator}
    if module.ROLE == "adaptive":
        settings["term"] = term
    counts = {}
    if perturb_with_extras := registry.hook("attacks", entry, "perturb_with_extras"):
        x_adv, success, counts = perturb_with_extras(model, x, y, **settings)
    else:
        x_adv, success = module.perturb(model, x, y, **settings)
    counts = {COUNT + name: mask for name, mask in counts.items()}
    clean_correct = correct(model, x, y)
    success, miscounted = verify_success(
        model, y, x_adv, claimed=success, clean_correct=clean_correct
    )
    counts |= {"correct": clean_correct, "success": success, "miscounted": miscounted}
    if not x.is_floating_point():
        altered = (x_adv != x).sum(1)
        return counts | {"x_adv": x_adv.int(), "success_8bit": success, "altered_words": altered}
    rounded = eight_bit.from_bytes(eight_bit.to_bytes(x_adv), like=x)
    return counts | {
        "x_adv": x_adv,
        "success_8bit": success & fooled(model, rounded, y),
        **{f"distance_{norm}": distance(x_adv - x, norm) for norm in get_args(Norm)},
    }
