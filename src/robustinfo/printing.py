"""A verdict as people and programs read it: tables for a terminal, and what becomes JSON."""

from typing import Any

from rich.console import Group
from rich.table import Table

from robustinfo.advice import MEANS
from robustinfo.evaluating import Evaluation
from robustinfo.judging import CLASSES, HOLDS, NOTE, Check
from robustinfo.protocols import Ball, Size, place

SIGNS = {"at most": "≤", "below": "<", "at least": "≥", "above": ">"}
UNBELIEVED = CLASSES[: CLASSES.index("broken")]  # more may fall to better attacks
STYLES = {"failed": "red", "noted": "yellow"}


def as_json(found: Evaluation, ball: Ball, size: Size) -> dict[str, Any]:
    """Verdict, headline, what each attack broke, and every check with its number and class."""
    return {
        "verdict": found.verdict,
        "failed_classes": [one for one in CLASSES if one in _failed(found)],
        "threat": {"norm": ball.norm, "epsilon": ball.epsilon},
        "protocol": size._asdict() | {"images": found.n},
        "clean_accuracy": found.clean_accuracy,
        "robust_accuracy": found.robust_accuracy,
        "interval": list(found.interval),
        "attacks": {
            name: {"leaves": accuracy, "broken": found.broken[name]}
            for name, accuracy in found.accuracies.items()
        },
        "attacks_not_made": found.failed,
        "checks": [
            {
                "check": check.name,
                "value": check.value,
                "passes": check.passes,
                "threshold": check.threshold,
                "class": check.verdict,
                "result": result(check),
            }
            | ({"means": MEANS[check.name]} if check.failed else {})
            for check in found.checks
        ],
    }


def result(check: Check) -> str:
    """What became of a check, in two words at most."""
    if check.failed is None:
        return "not run"
    if not check.failed:
        return "passed"
    return "noted" if check.verdict == NOTE else "failed"


def printed(found: Evaluation, ball: Ball, size: Size) -> Group:
    """What ``rich`` prints: the verdict, why, what attacks leave, every check that was asked."""
    low, high = found.interval
    colour = "green" if found.verdict == HOLDS else "red"
    robust = f"{found.robust_accuracy:.1%} ({low:.1%} to {high:.1%})"
    if found.verdict in UNBELIEVED:
        robust = f"at most {found.robust_accuracy:.1%}, the attacks are not to be trusted"
    others = [one for one in CLASSES if one in _failed(found) and one != found.verdict]
    also = f" (and {', '.join(others)})" if others else ""
    head = (
        f"[bold {colour}]{found.verdict}[/]{also}\n"
        f"{ball.norm} {ball.epsilon:.4g}, {found.n} images, protocol {size.name} ({place(size)})\n"
        f"clean accuracy {found.clean_accuracy:.1%}, robust accuracy {robust}"
    )
    why = [
        f"[{STYLES[result(check)]}]{check.name}[/]: {MEANS[check.name]}"
        for check in found.checks
        if check.failed
    ]
    not_made = [f"{name} was not made: {reason}" for name, reason in found.failed.items()]
    not_run = ", ".join(check.name for check in found.checks if check.failed is None)
    return Group(
        head, *why, "", _attacks(found), *not_made, _checks(found), f"[dim]Not run: {not_run}[/]"
    )


def _failed(found: Evaluation) -> set[str]:
    return {check.verdict for check in found.checks if check.failed and check.verdict != NOTE}


def _attacks(found: Evaluation) -> Table:
    table = Table("attack", "leaves by itself")
    for name, accuracy in sorted(found.accuracies.items(), key=lambda pair: pair[1]):
        table.add_row(name, f"{accuracy:.1%}")
    return table


def _checks(found: Evaluation) -> Table:
    table = Table()
    for column in ("check", "value", "asked"):
        table.add_column(column, no_wrap=True)
    table.add_column("a failure is")
    table.add_column("")
    for check in found.checks:
        if check.failed is None:
            continue
        asked = f"{SIGNS[check.passes]} {check.threshold:.3g}"
        style = STYLES.get(result(check))
        table.add_row(
            check.name, f"{check.value:.3g}", asked, check.verdict, result(check), style=style
        )
    return table
