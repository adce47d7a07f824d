"""Checks in the order in which a page shows them: those that failed come first."""

from robustinfo.evaluation.checks import CLASSES, NOTE
from robustinfo.evaluation.report.schema import Checked

FIRST = {  # the groups of checks that are shown, in their order
    "failed": "Failed",
    "cannot say": "Cannot say: the interval lies on both sides of the limit",
    "required": "Not run, and needed before anything is said to hold",
    "noted": "Notes: they decide nothing",
}


def grouped(checks: list[Checked]) -> dict[str, list[Checked]]:
    """Checks by result, those of the worst class first.

    ``required``: needed, and not run. ``noted``: what decides nothing, and did not pass.
    """
    groups: dict[str, list[Checked]] = {key: [] for key in (*FIRST, "passed", "not run")}
    order = [*CLASSES, NOTE]
    for one in sorted(checks, key=lambda one: order.index(one.of_class)):
        needed = one.result == "not run" and one.required
        note = one.result == "cannot say" and one.of_class == NOTE
        groups["required" if needed else "noted" if note else one.result].append(one)
    return groups
