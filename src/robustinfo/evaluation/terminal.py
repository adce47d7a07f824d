"""An evaluation as tables for a terminal."""

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from robustinfo.evaluation.checks import HOLDS, NOT_ENOUGH
from robustinfo.evaluation.printing import (
    beside_attacks,
    explanation,
    headline,
    lines_of_remedies,
    mishaps,
    reasons,
    rule,
    summary,
    threat,
)
from robustinfo.evaluation.result import Result
from robustinfo.evaluation.verdict import Verdict

STYLES = {"failed": "red", "cannot say": "yellow", "noted": "yellow"}
COLOURS = {HOLDS: "green", NOT_ENOUGH: "yellow"}


def render(evaluation: Result, size: str) -> Group:
    """The verdict, its reasons, accuracy under each attack, and every check that was run.

    size: the name of the protocol.
    """
    verdict = evaluation.conclusion
    colour = COLOURS.get(verdict.verdict, "red")
    others = [one for one in verdict.failed_classes() if one != verdict.verdict]
    also = f" (and {', '.join(others)})" if others else ""
    head = (
        f"[bold {colour}]{verdict.verdict}[/]{also}\n"
        f"{threat(evaluation, size)}; {summary(verdict)}\n{headline(evaluation)}"
    )
    why = [
        f"[{STYLES.get(one.result, 'dim')}]{one.check.name}[/]: {text}"
        for one in reasons(verdict)
        if (text := explanation(one))
    ]
    not_run = ", ".join(one.check.name for one in verdict.answers if one.result == "not run")
    return Group(
        head,
        *map(escape, beside_attacks(evaluation)),
        *why,
        "",
        _attacks(evaluation),
        *map(escape, mishaps(evaluation)),
        *lines_of_remedies(evaluation),
        _checks(verdict),
        f"[dim]Not run: {not_run}[/]",
    )


def _attacks(evaluation: Result) -> Table:
    table = Table("attack", "leaves by itself", "95 %")
    for name, one in sorted(evaluation.attacks.items(), key=lambda pair: pair[1].leaves):
        leaves = one.leaves
        table.add_row(name, f"{leaves:.1%}", f"{leaves.low:.1%} to {leaves.high:.1%}")
    return table


def _checks(verdict: Verdict) -> Table:
    table = Table()
    for column in ("result", "check", "value", "95 %"):
        table.add_column(column, no_wrap=True)
    table.add_column("asked")
    table.add_column("a failure is")
    for one in verdict.answers:
        if one.result == "not run":
            continue
        spread = f"{one.low:.2g} to {one.high:.2g}" if one.check.sampled else "exact"
        table.add_row(
            one.result, one.check.name, f"{one.value:.3g}", spread, rule(one), one.check.verdict,
            style=STYLES.get(one.result),
        )  # fmt: skip
    return table
