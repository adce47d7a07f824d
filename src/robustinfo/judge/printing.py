"""A verdict as people and programs read it: tables for a terminal, and what becomes JSON."""

import math
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from robustinfo.judge.checks import HOLDS, LITTLE, SIGNS, UNTRUSTED
from robustinfo.judge.evaluate import FOLLOW_UP, Evaluation
from robustinfo.judge.protocol import Size, place
from robustinfo.judge.verdict import Answer, Verdict
from robustinfo.maths.statistics import fraction_interval

STYLES = {"failed": "red", "cannot say": "yellow", "noted": "yellow"}
COLOURS = {HOLDS: "green", LITTLE: "yellow"}


def as_json(found: Evaluation, size: Size) -> dict[str, Any]:
    """Verdict, headline, what each attack broke, and every check with its number and class."""
    return {
        "verdict": found.verdict.verdict,
        "failed_classes": found.verdict.failed_classes(),
        "counts": found.verdict.counts(),
        "threat": {"norm": found.ball.norm, "epsilon": found.ball.epsilon},
        "protocol": size._asdict() | {"images": found.n},
        "clean_accuracy": found.clean.value,
        "robust_accuracy": found.robust.value,
        "interval": list(_interval(found)),
        "attacks": {
            name: {"leaves": accuracy, "broken": found.broken[name]}
            for name, accuracy in found.accuracies.items()
        },
        "follow_up": {"broken": found.broken[FOLLOW_UP]},
        "attacks_not_made": found.not_made,
        "checks": [_as_json(one) for one in found.verdict.answers],
    }


def _as_json(one: Answer) -> dict[str, Any]:
    """Infinite ends of an interval, of a value without one, become null: JSON knows none."""
    numbers = {name: getattr(one, name) for name in ("value", "low", "high", "threshold")}
    return {
        "check": one.check.name,
        **{name: None if _endless(value) else value for name, value in numbers.items()},
        "n": one.n,
        "rule": one.check.rule,
        "class": one.check.verdict,
        "result": one.result,
        "said_by": one.entry,
        "images_needed": one.images,
        "meaning": one.check.meaning,
    }


def _endless(value: float | None) -> bool:
    return value is not None and math.isinf(value)


def _interval(found: Evaluation) -> tuple[float, float]:
    return fraction_interval(round(found.robust.value * found.n), found.n)


def summary(verdict: Verdict) -> str:
    """``2 checks failed, 20 passed, 3 cannot say, 5 not run``."""
    counts = verdict.counts()
    checks = "check" if counts["failed"] == 1 else "checks"
    rest = ", ".join(f"{counts[name]} {name}" for name in ("passed", "cannot say", "not run"))
    return f"{counts['failed']} {checks} failed, {rest}"


def explained(one: Answer) -> str:
    """What became of a check that did not pass, in a sentence or two; empty of one that did."""
    if one.result in ("failed", "noted"):
        return one.check.meaning
    if one.result == "cannot say":
        more = f"; about {one.images:,} images like these would settle it" if one.images else ""
        return (
            f"{one.value:.3g} ({one.low:.3g} to {one.high:.3g}) {rule(one)} cannot be said{more}."
        )
    if one.result == "not run" and one.check.required:
        return f"it was not asked, and has to be: {one.check.meaning}"
    return ""


def rule(one: Answer) -> str:
    """``≤ 0.05``."""
    return f"{SIGNS[one.check.rule]} {one.threshold:.3g}"


def printed(found: Evaluation, size: Size) -> Group:
    """What ``rich`` prints: the verdict, why, what attacks leave, every check that was asked."""
    verdict, (low, high) = found.verdict, _interval(found)
    colour = COLOURS.get(verdict.verdict, "red")
    robust = f"{found.robust.value:.1%} ({low:.1%} to {high:.1%})"
    if verdict.verdict in UNTRUSTED:
        robust = f"at most {found.robust.value:.1%}, the attacks are not to be trusted"
    others = [one for one in verdict.failed_classes() if one != verdict.verdict]
    also = f" (and {', '.join(others)})" if others else ""
    head = (
        f"[bold {colour}]{verdict.verdict}[/]{also}\n"
        f"{found.ball.norm} {found.ball.epsilon:.4g}, {found.n} images, protocol {size.name} "
        f"({place(size)}); {summary(verdict)}\n"
        f"clean accuracy {found.clean.value:.1%}, robust accuracy {robust}"
    )
    why = [
        f"[{STYLES.get(one.result, 'dim')}]{one.check.name}[/]: {text}"
        for one in sorted(verdict.answers, key=lambda one: one.result != "failed")
        if (text := explained(one))
    ]
    not_made = [f"{name} was not made: {escape(reason)}" for name, reason in found.not_made.items()]
    not_run = ", ".join(one.check.name for one in verdict.answers if one.result == "not run")
    return Group(
        head, *why, "", _attacks(found), *not_made, _checks(verdict), f"[dim]Not run: {not_run}[/]"
    )


def _attacks(found: Evaluation) -> Table:
    table = Table("attack", "leaves by itself")
    for name, accuracy in sorted(found.accuracies.items(), key=lambda pair: pair[1]):
        table.add_row(name, f"{accuracy:.1%}")
    return table


def _checks(verdict: Verdict) -> Table:
    table = Table()
    for column in ("check", "value", "95 %", "asked"):
        table.add_column(column, no_wrap=True)
    table.add_column("a failure is")
    table.add_column("")
    for one in verdict.answers:
        if one.result == "not run":
            continue
        spread = f"{one.low:.2g} to {one.high:.2g}" if one.check.sampled else "exact"
        table.add_row(
            one.check.name, f"{one.value:.3g}", spread, rule(one), one.check.verdict, one.result,
            style=STYLES.get(one.result),
        )  # fmt: skip
    return table
