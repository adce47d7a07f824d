"""What a protocol measures beside its attacks: calibration, bounds, least distances, corruptions.

None of it decides the verdict but a bound that an attack contradicts.
"""

from robustinfo.distortions._severities import COMMON, SEVERITIES
from robustinfo.evaluation.beside import CORRUPTIONS
from robustinfo.evaluation.cost import Cost, Entry, Part
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball

LEAST_DISTANCE: Entry = {"method": "minimal_distances", "steps": 20, "targets": 3}
# Hidden neurons that bounds go back from, for each step of PGD; each costs about four gradients.
HIDDEN = 2


def beside_attacks(size: Size, ball: Ball) -> dict[str, Part]:
    """Entries of diagnostics/, by name."""
    parts = {
        "calibration": Part({"method": "calibration"}, Cost(0, 1)),
        "certified_accuracy": _certified_accuracy(size, ball),
    }
    if size.ensemble:
        parts["minimal_distances"] = _minimal_distances(size, ball)
    if size.corruptions:
        passes = len(COMMON) * len(SEVERITIES)
        parts[CORRUPTIONS] = Part({"method": "corruption_accuracy"}, Cost(0, passes))
    return parts


def _certified_accuracy(size: Size, ball: Ball) -> Part:
    hidden = HIDDEN * size.steps
    entry = {"method": "certified_accuracy", "norm": ball.norm, "epsilon": ball.epsilon}
    return Part(entry | {"hidden": hidden, "examples": "all"}, Cost(20 + 4 * hidden, 4))


def _minimal_distances(size: Size, ball: Ball) -> Part:
    """By FMN; with paths of 100 steps by FAB and, in l2, DDN, too: each is held against the best.

    On plain networks, which all other attacks break at once, FMN alone is 5 % of ``medium``.
    """
    steps, targets = LEAST_DISTANCE["steps"], LEAST_DISTANCE["targets"]
    names, cost = ["fmn"], Cost(steps * targets, 8)
    if size.steps >= 100:
        names.append("fab")
        cost += Cost(steps * targets, steps * targets + 8)
        if ball.norm == "l2":
            names.append("ddn")
            cost += Cost(steps, 8)
    return Part(LEAST_DISTANCE | {"norm": ball.norm, "attacks": names}, cost)
