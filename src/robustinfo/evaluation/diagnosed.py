"""The diagnostics of an evaluation, each made once, or read if it is finished."""

import hashlib
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from robustinfo.core.measurement import Measurement
from robustinfo.core.seeds import part_generator
from robustinfo.core.settings import Entry
from robustinfo.evaluation.batches import Batches
from robustinfo.evaluation.evidence import run_diagnostics
from robustinfo.evaluation.progress import Tally
from robustinfo.evaluation.task import Task


def diagnosed(
    task: Task,
    model: nn.Module,
    source: Batches,
    diagnostics: Mapping[str, Entry],
    resisting: Tensor,
    tally: Tally,
) -> list[Measurement]:
    """The diagnostics, on as many images as ``resisting`` has."""
    n, values = len(resisting), list[Measurement]()
    if not diagnostics:
        return values
    batch = source.read(0, n)
    of = [batch.sha256(), hashlib.sha256(resisting.cpu().numpy().data).hexdigest()]
    for name, entry in diagnostics.items():
        tally.begin(name)

        def compute(name: str = name, entry: Entry = entry) -> list[Measurement]:
            generator = part_generator(source.device, task.seed, "diagnostic", name)
            resisted: dict[Any, Tensor] = {task.ball.norm: resisting}
            return [
                *run_diagnostics(
                    model, *batch[:2], {name: entry}, resisting=resisted, generator=generator
                )
            ]

        values += task.finished.measurements(f"diagnostics/{name}", [*of, entry], compute)
        tally.end(name, n)
    return values
