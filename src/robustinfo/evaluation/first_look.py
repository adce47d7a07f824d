"""The first look: whether the outputs on clean images already make an evaluation invalid.

A network that gives probabilities, NaN, or another answer in another batch is judged invalid
whatever attacks find. The longest attacks of a protocol are there so that a network may be said to
hold; after such a look they are not made, and the evaluation says so. All others are: they are what
other checks, remedies and the accuracy rest on.
"""

from collections.abc import Collection, Mapping

import torch

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Entry
from robustinfo.evaluation.batches import Batches
from robustinfo.evaluation.diagnosed import diagnosed
from robustinfo.evaluation.progress import Tally
from robustinfo.evaluation.sources._guarded import Guarded
from robustinfo.evaluation.task import Task
from robustinfo.evaluation.verdict import judge

OUTPUTS = "output_checks"  # the diagnostic that needs no attack


def first_look(
    task: Task,
    model: Guarded,
    source: Batches,
    diagnostics: Mapping[str, Entry],
    images: int,
    tally: Tally,
) -> list[Measurement]:
    """The measurements of the outputs on the first so many clean images, if they are asked for."""
    entries = {name: entry for name, entry in diagnostics.items() if entry["method"] == OUTPUTS}
    none = torch.zeros(images, dtype=torch.bool, device=source.device)
    return diagnosed(task, model, source, entries, none, none, tally)


def spared(
    seen: list[Measurement], classes: int, task: Task, only_to_hold: Collection[str]
) -> dict[str, str]:
    """The attacks that need not be made any more, each with the reason.

    seen: as of ``first_look``. only_to_hold: attacks by name.
    """
    wrong = [
        one.check.name
        for one in judge(seen, classes).answers
        if one.result == "failed" and one.check.verdict == "invalid"
    ]
    if not wrong:
        return {}
    reason = f"the evaluation is invalid before any attack, by {', '.join(wrong)}"
    return {name: reason for name in task.attacks if name in only_to_hold}
