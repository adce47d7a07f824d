"""The task of an evaluation, and one attack on one batch: made, or read if it is finished.

Every attack draws from a generator of its own, so that one of them can be made again alone.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from robustinfo.attacks._frozen import seeded
from robustinfo.core.batches import correct
from robustinfo.core.errors import UserError
from robustinfo.core.seeds import part_generator
from robustinfo.evaluation.attacks import Attack, AttackResult, run_attack
from robustinfo.evaluation.batches import Batch, Batches, sha256
from robustinfo.evaluation.finished import Finished
from robustinfo.evaluation.threats import Ball, Threat


class Task(NamedTuple):
    """What every batch goes through."""

    network: nn.Module
    twin: nn.Module | None  # the same network without the defence
    attacks: Mapping[str, Attack]
    twin_attacks: Mapping[str, Attack]
    ball: Ball
    seed: int
    finished: Finished
    abstains: Callable[[Tensor], Tensor] | None = None  # images (n, c, h, w) -> (n,) bool

    def threats(self) -> dict[str, Threat]:
        """The threat of every attack in ``BatchResult.success``."""
        transfers = {transfer_name(n): a.threat.transferred() for n, a in self.twin_attacks.items()}
        return {name: attack.threat for name, attack in self.attacks.items()} | transfers

    def without(self, not_made: Mapping[str, str]) -> "Task":
        """The same without the attacks that cannot run, on the network or on its twin."""

        def kept(attacks: Mapping[str, Attack]) -> dict[str, Attack]:
            both = {n: {n, twin_name(n)} for n in attacks}
            return {n: a for n, a in attacks.items() if both[n].isdisjoint(not_made)}

        return self._replace(attacks=kept(self.attacks), twin_attacks=kept(self.twin_attacks))

    @torch.no_grad()
    def classify(self, x: Tensor) -> Tensor:
        """The network's classes of x, (n, c, h, w) on its device: (n,)."""
        return self.network(x).argmax(1)

    def abstained(self, x: Tensor) -> Tensor:
        """Whether the network abstains on x, (n, c, h, w): (n,) bool."""
        if self.abstains is None:
            return torch.zeros(len(x), dtype=torch.bool, device=x.device)
        return self.abstains(x)


class NotMadeError(UserError):
    """The attacks that cannot run on this network, and why."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        """reasons: by the attack's name."""
        super().__init__("; ".join(f"{name}: {why}" for name, why in reasons.items()))
        self.reasons = dict(reasons)


def transfer_name(attack: str) -> str:
    """The name of an attack's images of the twin, tried on the network."""
    return f"{attack} from the twin"


def twin_name(attack: str) -> str:
    """The name of an attack on the twin."""
    return f"{attack} on the twin"


def clean_correct(task: Task, batch: Batch, *, on_twin: bool = False) -> Tensor:
    """Whether the network, or its twin, is right on the clean images, and answers: (n,) bool."""
    network = task.twin if on_twin and task.twin is not None else task.network
    label = twin_name("clean") if on_twin else "clean"

    def compute() -> dict[str, Tensor]:
        with seeded(batch.x, part_generator(batch.x.device, task.seed, label, batch.start)):
            right = correct(network, batch.x, batch.y)
            return {"correct": right if on_twin else right & ~task.abstained(batch.x)}

    name = f"{label}/{batch.start:06d}"
    part = task.finished.tensors(name, [label, batch.sha256], compute)
    return part["correct"].to(batch.x.device)


def crafted(
    task: Task,
    batch: Batch,
    label: str,
    attack: Attack,
    right: Tensor,
    *,
    on_twin: bool = False,
) -> tuple[AttackResult, Tensor]:
    """The result of one attack on a batch, made or read; where it did not succeed, x_adv is x.

    label: the attack's name, or on the twin its ``twin_name``. right: of ``clean_correct``, of the
    one that is attacked. Also the attack's seconds, (1,) float64.
    Raises NotMadeError if it cannot run; AlteredFileError or UserError of a finished part.
    """
    network = task.twin if on_twin and task.twin is not None else task.network

    def compute() -> dict[str, Tensor]:
        generator = part_generator(batch.x.device, task.seed, label, batch.start)
        began = time.perf_counter()
        try:
            with seeded(batch.x, generator):  # of a network that draws by itself
                result = run_attack(
                    network, batch.x, batch.y, right, attack, rows=batch.rows, generator=generator
                )
        except UserError as error:
            raise NotMadeError({label: str(error)}) from error
        seconds = torch.tensor([time.perf_counter() - began], dtype=torch.float64)
        if not on_twin:  # what was said of an image on which it abstains is no false claim
            result = result._replace(miscounted=result.miscounted & ~task.abstained(batch.x))
        kept = result._replace(x_adv=result.x_adv[result.success])
        return kept._asdict() | {"seconds": seconds}

    of = [label, attack.entry, batch.sha256]
    if attack.images is not None:
        of.append(sha256(attack.images[batch.rows]))
    name = f"adversarial/{label}/{batch.start:06d}"
    part = task.finished.tensors(name, of, compute, reusable=attack.reusable)
    seconds = part.pop("seconds")
    result = AttackResult(**{name: one.to(batch.x.device) for name, one in part.items()})
    x_adv = batch.x.clone()
    x_adv[result.success] = result.x_adv.to(x_adv)
    return result._replace(x_adv=x_adv), seconds


def crafted_again(
    task: Task, source: Batches, name: str, finished: Finished | None = None
) -> Iterator[tuple[Batch, Tensor]]:
    """By batch, the images of the attack ``name``, read or made again to the same bits.

    finished: where they are kept; None: where the task keeps them.
    """
    if finished is not None:
        task = task._replace(finished=finished)
    from_twin = {transfer_name(one): one for one in task.twin_attacks}
    on_twin = name in from_twin
    label = twin_name(from_twin[name]) if on_twin else name
    attack = task.twin_attacks[from_twin[name]] if on_twin else task.attacks[name]
    for batch, _ in source:
        right = clean_correct(task, batch, on_twin=on_twin)
        result, _ = crafted(task, batch, label, attack, right, on_twin=on_twin)
        yield batch, result.x_adv
