"""A verdict as tables for a terminal, and as data for JSON."""

import math
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from robustinfo.evaluation.checks import HOLDS, NOT_ENOUGH, SIGNS, UNTRUSTED
from robustinfo.evaluation.evaluate import FOLLOW_UP, Evaluation
from robustinfo.evaluation.protocol import Size, rank
from robustinfo.evaluation.verdict import Answer, Verdict
from robustinfo.maths.statistics import fraction_interval

STYLES = {"failed": "red", "cannot say": "yellow", "noted": "yellow"}
COLOURS = {HOLDS: "green", NOT_ENOUGH: "yellow"}


def as_json(evaluation: Evaluation, size: Size) -> dict[str, Any]:
    """Verdict, accuracies, the images that each attack broke, and every check, as plain data."""
    return {
        "verdict": evaluation.verdict.verdict,
        "failed_classes": evaluation.verdict.failed_classes(),
        "counts": evaluation.verdict.counts(),
        "threat": {"norm": evaluation.ball.norm, "epsilon": evaluation.ball.epsilon},
        "protocol": size._asdict() | {"images": evaluation.n},
        "clean_accuracy": evaluation.clean.value,
        "robust_accuracy": evaluation.robust.value,
        "interval": list(_interval(evaluation)),
        "attacks": {
            name: {"leaves": accuracy, "broken": evaluation.broken[name]}
            for name, accuracy in evaluation.accuracies.items()
        },
        "follow_up": {"broken": evaluation.broken[FOLLOW_UP]},
        "attacks_not_made": evaluation.not_made,
        "checks": [_as_json(one) for one in evaluation.verdict.answers],
    }


def _as_json(one: Answer) -> dict[str, Any]:
    """An answer as plain data; infinite ends of an interval become null, as JSON has none."""
    numbers = {name: getattr(one, name) for name in ("value", "low", "high", "threshold")}
    return {
        "check": one.check.name,
        **{name: None if _is_infinite(value) else value for name, value in numbers.items()},
        "n": one.n,
        "rule": one.check.rule,
        "class": one.check.verdict,
        "result": one.result,
        "said_by": one.entry,
        "images_needed": one.images,
        "meaning": one.check.meaning,
    }


def _is_infinite(value: float | None) -> bool:
    return value is not None and math.isinf(value)


def _interval(evaluation: Evaluation) -> tuple[float, float]:
    return fraction_interval(round(evaluation.robust.value * evaluation.n), evaluation.n)


def summary(verdict: Verdict) -> str:
    """The counts of results: ``2 checks failed, 20 passed, 3 cannot say, 5 not run``."""
    counts = verdict.counts()
    checks = "check" if counts["failed"] == 1 else "checks"
    rest = ", ".join(f"{counts[name]} {name}" for name in ("passed", "cannot say", "not run"))
    return f"{counts['failed']} {checks} failed, {rest}"


def explanation(one: Answer) -> str:
    """Why a check did not pass, in a sentence or two; empty if it did."""
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
    """The check's rule: ``≤ 0.05``."""
    return f"{SIGNS[one.check.rule]} {one.threshold:.3g}"


def render(evaluation: Evaluation, size: Size) -> Group:
    """The verdict, its reasons, accuracy under each attack, and every check that was run."""
    verdict, (low, high) = evaluation.verdict, _interval(evaluation)
    colour = COLOURS.get(verdict.verdict, "red")
    robust = f"{evaluation.robust.value:.1%} ({low:.1%} to {high:.1%})"
    if verdict.verdict in UNTRUSTED:
        robust = f"at most {evaluation.robust.value:.1%}, the attacks are not to be trusted"
    others = [one for one in verdict.failed_classes() if one != verdict.verdict]
    also = f" (and {', '.join(others)})" if others else ""
    head = (
        f"[bold {colour}]{verdict.verdict}[/]{also}\n"
        f"{evaluation.ball.norm} {evaluation.ball.epsilon:.4g}, {evaluation.n} images, "
        f"protocol {size.name} ({rank(size)}); {summary(verdict)}\n"
        f"clean accuracy {evaluation.clean.value:.1%}, robust accuracy {robust}"
    )
    why = [
        f"[{STYLES.get(one.result, 'dim')}]{one.check.name}[/]: {text}"
        for one in sorted(verdict.answers, key=lambda one: one.result != "failed")
        if (text := explanation(one))
    ]
    not_made = [
        f"{name} was not made: {escape(reason)}" for name, reason in evaluation.not_made.items()
    ]
    not_run = ", ".join(one.check.name for one in verdict.answers if one.result == "not run")
    return Group(
        head,
        *why,
        "",
        _attacks(evaluation),
        *not_made,
        _checks(verdict),
        f"[dim]Not run: {not_run}[/]",
    )


def _attacks(evaluation: Evaluation) -> Table:
    table = Table("attack", "leaves by itself")
    for name, accuracy in sorted(evaluation.accuracies.items(), key=lambda pair: pair[1]):
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
