"""An evaluation as tables for a terminal."""

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from robustinfo.evaluation.checks import HOLDS, NOT_ENOUGH
from robustinfo.evaluation.options import Detail
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


def render(evaluation: Result, size: str, detail: Detail) -> Group:
    """The verdict, its reasons, and accuracy under each attack.

    size: the name of the protocol. Quiet is verdict, threat model and accuracies alone; verbose has
    every check that was run as well.
    """
    verdict = evaluation.conclusion
    colour = COLOURS.get(verdict.verdict, "red")
    others = [one for one in verdict.failed_classes() if one != verdict.verdict]
    also = f" (and {', '.join(others)})" if others else ""
    head = (
        f"[bold {colour}]{verdict.verdict}[/]{also}\n"
        f"{threat(evaluation, size)}; {summary(verdict)}\n{headline(evaluation)}"
    )
    if detail == "quiet":
        return Group(head)
    why = [
        f"[{STYLES.get(one.result, 'dim')}]{one.check.name}[/]: {text}"
        for one in reasons(verdict)
        if (text := explanation(one))
    ]
    return Group(
        head,
        *map(escape, beside_attacks(evaluation)),
        *why,
        "",
        _attacks(evaluation),
        *map(escape, mishaps(evaluation)),
        *lines_of_remedies(evaluation),
        *(_checks(verdict) if detail == "verbose" else ["[dim]--verbose: every check[/]"]),
    )


def _attacks(evaluation: Result) -> Table:
    table = Table("attack", "leaves by itself", "95 %", box=box.SIMPLE_HEAD)
    for name, one in sorted(evaluation.attacks.items(), key=lambda pair: pair[1].leaves):
        leaves = one.leaves
        table.add_row(name, f"{leaves:.1%}", f"{leaves.low:.1%} to {leaves.high:.1%}")
    return table


def _checks(verdict: Verdict) -> list[Table | str]:
    """Every check that was run, and the names of the others."""
    table = Table("result", "check", "value", "95 %", "passes", box=box.SIMPLE_HEAD)
    for one in verdict.answers:
        if one.result != "not run":
            spread = f"{one.low:.2g} to {one.high:.2g}" if one.check.sampled else "exact"
            row = one.result, one.check.name, f"{one.value:.3g}", spread, rule(one)
            table.add_row(*row, style=STYLES.get(one.result))
    not_run = ", ".join(one.check.name for one in verdict.answers if one.result == "not run")
    return [table, f"[dim]Not run: {not_run}[/]"]
