"""What an attack makes of images on a job's network, every success verified."""

from collections.abc import Callable
from math import prod

from torch import Generator, Tensor, nn

from pipeline.run import load
from pipeline.run.job import Job
from robustinfo.attacks._success import fooled
from robustinfo.core import checkpoint, registry
from robustinfo.core.batches import at_once, batches, correct
from robustinfo.core.gathered import gathered
from robustinfo.core.settings import Entry
from robustinfo.distortions import eight_bit
from robustinfo.judge.attack_term import attack_term
from robustinfo.judge.attacks import verify_success
from robustinfo.maths.balls import distance
from robustinfo.models._network import Network

Term = Callable[..., tuple[Tensor, Tensor]]
COUNT = "attack_success_rate_"  # of successes that are counted in another way


def attacked(job: Job) -> tuple[Network, Term | None]:
    """The job's network, and what its defence adds for an attacker who knows it; read once."""
    loaded = load.opened(job, job.file("model"))
    model = checkpoint.network(loaded, job.device)
    return model, attack_term(loaded, model)  # type: ignore[return-value]  # of models/


def examples(
    job: Job, model: Network, term: Term | None, entry: Entry, images: Tensor, labels: Tensor
) -> dict[str, Tensor]:
    """What the attack of an entry makes of the images on a network, per image, on the CPU.

    The keys are those that the stage keeps, without ``index``, other counts of success as their
    quantities are called; and ``miscounted``.
    """
    parts = (
        _examples(entry, model, x, y, term, job.generator)
        for x, y in batches(images, labels, at_once(prod(images.shape[1:])), job.device)
    )
    folder = next(iter(job.writes.values())).parent
    return gathered(parts, len(labels), folder)


def _examples(
    entry: Entry,
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    term: Term | None,
    generator: Generator,
) -> dict[str, Tensor]:
    """What is kept of one batch. The attack's word is not enough: every success is checked."""
    module = registry.module("attacks", entry)
    settings = {"config": registry.config("attacks", entry), "generator": generator}
    if module.ROLE == "adaptive":
        settings["term"] = term
    extra = {}
    if counted := registry.hook("attacks", entry, "perturb_with_extras"):
        x_adv, success, extra = counted(model, x, y, **settings)
    else:
        x_adv, success = module.perturb(model, x, y, **settings)
    extra = {COUNT + name: mask for name, mask in extra.items()}
    right = correct(model, x, y)
    success, miscounted = verify_success(model, y, x_adv, claimed=success, clean_correct=right)
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
