"""The diagnostics of an evaluation, each made once, or read if it is finished."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from robustinfo.attacks._frozen import seeded
from robustinfo.core.measurement import Measurement
from robustinfo.core.seeds import part_generator
from robustinfo.core.settings import Entry
from robustinfo.evaluation.batches import Batches, sha256
from robustinfo.evaluation.evidence import is_curve, run_diagnostics
from robustinfo.evaluation.progress import Tally
from robustinfo.evaluation.task import Task


def diagnosed(
    task: Task,
    model: nn.Module,
    source: Batches,
    diagnostics: Mapping[str, Entry],
    resisting: Tensor,
    broken: Tensor,
    tally: Tally,
) -> list[Measurement]:
    """The diagnostics, on as many images as ``resisting`` has.

    resisting, broken: (n,) bool, by attacks on the cross-entropy, and by any; ``broken`` is what a
    diagnostic with ``examples`` gets.
    """
    n, values = len(resisting), list[Measurement]()
    if not diagnostics:
        return values
    batch = source.read(0, n)
    # Where a network abstains nothing is to be attacked: those count as wrong.
    answered = ~task.abstained(batch.x)
    x, y, resisting = batch.x[answered], batch.y[answered], resisting[answered]
    stored = {"examples": {"success": broken[answered]}}
    of = [batch.sha256, sha256(resisting), sha256(broken)]
    for name, entry in diagnostics.items():
        tally.begin(name)

        def compute(name: str = name, entry: Entry = entry) -> list[Measurement]:
            generator = part_generator(source.device, task.seed, "diagnostic", name)
            resisted: dict[Any, Tensor] = {task.ball.norm: resisting}
            with seeded(batch.x, generator):
                found = run_diagnostics(
                    model, x, y, {name: entry}, resisting=resisted, generator=generator,
                    extra=lambda entry: stored if "examples" in entry else {},
                )  # fmt: skip
                return [_of_all(one, entry, len(x), n) for one in found]

        values += task.finished.measurements(f"diagnostics/{name}", [*of, entry], compute)
        tally.end(name, n)
    return values


def _of_all(one: Measurement, entry: Entry, answered: int, n: int) -> Measurement:
    """An accuracy of the answered images as one of all n; any other measurement as it is."""
    if not is_curve(entry) or one.interval != "fraction" or answered == n:
        return one
    return one._replace(value=one.value * answered / n, n=n)
