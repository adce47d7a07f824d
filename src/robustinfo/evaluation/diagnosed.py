"""The diagnostics of an evaluation, each made once, or read if it is finished.

A network that is known by its answers alone is asked those that need no gradient; one that may
abstain those that have a meaning where nothing is answered.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from robustinfo.attacks._frozen import seeded
from robustinfo.core import registry
from robustinfo.core.measurement import Measurement
from robustinfo.core.seeds import part_generator
from robustinfo.core.settings import Entry
from robustinfo.diagnostics.minimal_distances import OF_IMAGE
from robustinfo.evaluation.batches import Batches, sha256
from robustinfo.evaluation.evidence import is_curve, run_diagnostics
from robustinfo.evaluation.progress import Tally
from robustinfo.evaluation.task import Task, twin_name

OF_CLEAN_ANSWERS = ("calibration", "corruption_accuracy")  # methods for one that always answers
OF_ANSWERS = ("output_checks", *OF_CLEAN_ANSWERS)  # that ask for no gradient


def possible(
    diagnostics: Mapping[str, Entry], *, black_box: bool, abstains: bool
) -> dict[str, Entry]:
    """The diagnostics of a network. black_box: it is known by its answers alone."""
    return {
        name: entry
        for name, entry in diagnostics.items()
        if (entry["method"] in OF_ANSWERS or not black_box)
        and not (entry["method"] in OF_CLEAN_ANSWERS and abstains)
    }


def on_twin(task: Task, diagnostics: Mapping[str, Entry]) -> list[str]:
    """The names of those that are run on the twin, too; without one, none."""
    if task.twin is None:
        return []
    return [n for n, entry in diagnostics.items() if registry.hook("diagnostics", entry, "OF_TWIN")]


def diagnosed(
    task: Task,
    model: nn.Module,
    source: Batches,
    diagnostics: Mapping[str, Entry],
    resisting: Tensor,
    broken: Tensor,
    tally: Tally,
) -> list[Measurement]:
    """The diagnostics, on as many images as ``resisting`` has; a twin is given the same ones.

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
    runs = [(name, model, name) for name in diagnostics]
    runs += [(twin_name(name), task.twin or model, name) for name in on_twin(task, diagnostics)]
    for label, network, name in runs:
        tally.begin(label)
        entry = diagnostics[name]

        def compute(
            label: str = label, network: nn.Module = network, name: str = name, entry: Entry = entry
        ) -> list[Measurement]:
            generator = part_generator(source.device, task.seed, "diagnostic", name)
            resisted: dict[Any, Tensor] = {task.ball.norm: resisting}
            with seeded(batch.x, generator):
                found = run_diagnostics(
                    network, x, y, {label: entry}, resisting=resisted, generator=generator,
                    extra=lambda entry: stored if "examples" in entry else {},
                )  # fmt: skip
                return [_of_all(one, entry, answered) for one in found]

        values += task.finished.measurements(f"diagnostics/{label}", [*of, entry], compute)
        tally.end(label, n)
    return values


def _of_all(one: Measurement, entry: Entry, answered: Tensor) -> Measurement:
    """A measurement of the answered images as one of all: an accuracy, or which image it is of.

    answered: (n,) bool. Any other measurement stays as it is.
    """
    n = len(answered)
    if one.quantity == OF_IMAGE:
        place = answered.nonzero()[int(one.level or 0)].item()
        return one._replace(level=float(place), layer=f"image {place}")
    if not is_curve(entry) or one.interval != "fraction":
        return one
    return one._replace(value=one.value * int(answered.sum()) / n, n=n)
