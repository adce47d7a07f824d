"""What every protocol asks of a network, in passes; and what differences can be seen.

Passes are counted beforehand (protocol.py), mostly as an upper bound: images leave an attack at
their first success. Those of remedies, which failed checks call for, come on top, for an image that
all of them are made on.
"""

from collections.abc import Sequence
from typing import Any

from robustinfo.core.settings import Entry
from robustinfo.evaluation import protocol
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.remedies import ANSWERS
from robustinfo.evaluation.remedies._mounting import bound
from robustinfo.evaluation.sizes import SIZES, Size
from robustinfo.evaluation.threats import Ball
from robustinfo.maths.statistics import images_to_tell_apart, seeds_to_tell_apart

GRADIENTS = "with_gradient"  # the passes with a gradient, beside those without
EFFORTS = ("restarts", "binary_search_steps", "steps", "queries", "draws")  # settings of attacks
DIFFERENCES = (0.01, 0.02, 0.05)  # of two accuracies
DISCORDANCES = (0.02, 0.05, 0.1, 0.2)
DEVIATIONS = (0.005, 0.01, 0.02, 0.04)


def protocols(
    balls: Sequence[Ball], values: int, images: Sequence[int], *, term: bool = False
) -> list[dict[str, Any]]:
    """What each protocol asks, the smallest first, as plain data: one evaluation in each ball.

    balls: of several, the names of attacks and diagnostics begin with the norm. values: of one
    image. images: how many each protocol gets. term: with the adaptive attack.
    """
    return [
        _together({ball.norm: _protocol(size, ball, values, n, term) for ball in balls})
        for size, n in zip(SIZES, images, strict=True)
    ]


def to_tell_apart() -> dict[str, list[dict[str, float | int | None]]]:
    """The images, and the seeds, that show DIFFERENCES in 80 % of all cases, at 95 %."""
    return {
        "images": [
            {
                "difference": difference,
                "discordance": discordance,
                "images": images_to_tell_apart(difference, discordance),
            }
            for difference in DIFFERENCES
            for discordance in DISCORDANCES
        ],
        "seeds": [
            {
                "difference": difference,
                "deviation": deviation,
                "seeds": seeds_to_tell_apart(difference, deviation),
            }
            for difference in DIFFERENCES
            for deviation in DEVIATIONS
        ],
    }


def _protocol(size: Size, ball: Ball, values: int, images: int, term: bool) -> dict[str, Any]:
    attacks = protocol.attacks(size, ball, term=term)
    diagnostics = protocol.diagnostics(size, ball, values, images)
    whole = protocol.cost(size, ball, values, images, term=term)
    return {
        "protocol": size.name,
        "images": images,
        "attacks": {
            name: _effort(part.entry) | _passes(part.cost) for name, part in attacks.items()
        },
        "follow_up": _passes(protocol.follow_up(size, ball)),
        "diagnostics": {name: _passes(part.cost) for name, part in diagnostics.items()},
        "passes_per_image": _passes(whole.times(1 / images)),
        "remedies": _passes(bound(size, ball)),
        "remedies_by_answers": _passes(bound(size, ball, ANSWERS)),
    }


def _together(by_norm: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What a protocol asks in all threat models together."""
    first, *others = by_norm.values()
    if not others:
        return first
    passes = [name for name, of in first.items() if isinstance(of, dict) and GRADIENTS in of]
    summed = {
        name: {kind: sum(one[name][kind] for one in by_norm.values()) for kind in first[name]}
        for name in passes
    }
    named = {
        name: {
            f"{norm} {part}": of for norm, one in by_norm.items() for part, of in one[name].items()
        }
        for name in ("attacks", "diagnostics")
    }
    return first | summed | named


def _effort(entry: Entry) -> dict[str, int]:
    """How long an attack tries."""
    return {name: entry[name] for name in EFFORTS if name in entry}


def _passes(cost: Cost) -> dict[str, int]:
    return {GRADIENTS: round(cost.gradients), "without": round(cost.queries)}
