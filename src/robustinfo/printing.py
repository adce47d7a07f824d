"""A verdict as people and programs read it: a table for a terminal, and what becomes JSON."""

from typing import Any

from rich.console import Group
from rich.table import Table

from robustinfo.evaluating import Evaluation
from robustinfo.judging import HOLDS, NOTE, Check
from robustinfo.protocols import Ball, Size

SIGNS = {"at most": "≤", "at least": "≥", "above": ">"}


def as_json(found: Evaluation, ball: Ball, size: Size) -> dict[str, Any]:
    """Verdict, headline, what each attack broke, and every check with its number and class."""
    return {
        "verdict": found.verdict,
        "threat": {"norm": ball.norm, "epsilon": ball.epsilon},
        "protocol": size._asdict() | {"images": found.n},
        "clean_accuracy": found.clean_accuracy,
        "robust_accuracy": found.robust_accuracy,
        "interval": list(found.interval),
        "attacks": {
            name: {"leaves": accuracy, "broken": found.broken[name]}
            for name, accuracy in found.accuracies.items()
        },
        "checks": [
            {
                "check": check.name,
                "value": check.value,
                "passes": check.passes,
                "threshold": check.threshold,
                "class": check.verdict,
                "result": result(check),
            }
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


def printed(found: Evaluation, ball: Ball) -> Group:
    """What ``rich`` prints."""
    low, high = found.interval
    colour = "green" if found.verdict == HOLDS else "red"
    head = (
        f"[bold {colour}]{found.verdict}[/]\n"
        f"clean accuracy {found.clean_accuracy:.1%}, robust accuracy {found.robust_accuracy:.1%} "
        f"({low:.1%} to {high:.1%}) of {found.n} images, {ball.norm} {ball.epsilon:.4g}"
    )
    return Group(head, _attacks(found), _checks(found))


def _attacks(found: Evaluation) -> Table:
    table = Table(
        "attack", "leaves", title="What each attack leaves by itself", title_justify="left"
    )
    for name, accuracy in sorted(found.accuracies.items(), key=lambda pair: pair[1]):
        table.add_row(name, f"{accuracy:.1%}")
    return table


def _checks(found: Evaluation) -> Table:
    table = Table("check", "value", "asked", "class", "", title="Checks", title_justify="left")
    for check in found.checks:
        known = check.failed is not None
        value = f"{check.value:.4g}" if known else ""
        asked = f"{SIGNS[check.passes]} {check.threshold:.4g}" if known else ""
        style = {"failed": "red", "noted": "yellow", "not run": "dim"}.get(result(check))
        table.add_row(check.name, value, asked, check.verdict, result(check), style=style)
    return table
