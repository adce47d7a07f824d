"""An evaluation as tables for a terminal."""

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from robustinfo.evaluation.certificate import in_words
from robustinfo.evaluation.checks import HOLDS, NOT_ENOUGH, SIGNS, UNTRUSTED
from robustinfo.evaluation.result import Result
from robustinfo.evaluation.sizes import BY_NAME, rank
from robustinfo.evaluation.verdict import Answer, Verdict

STYLES = {"failed": "red", "cannot say": "yellow", "noted": "yellow"}
COLOURS = {HOLDS: "green", NOT_ENOUGH: "yellow"}


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
        return "it was not asked, and has to be."
    return ""


def rule(one: Answer) -> str:
    """The check's rule: ``≤ 0.05``."""
    return f"{SIGNS[one.check.rule]} {one.threshold:.3g}"


def headline(evaluation: Result) -> str:
    """The accuracies: ``clean accuracy 96.0%, robust accuracy 38.8% (34.0% to 43.7%)``."""
    clean, robust = evaluation.clean_accuracy, evaluation.robust_accuracy
    kind = "black-box accuracy" if evaluation.black_box else "robust accuracy"
    text = f"{robust:.1%} ({robust.low:.1%} to {robust.high:.1%})"
    if evaluation.verdict in UNTRUSTED:
        text = f"at most {robust:.1%}, the attacks are not to be trusted"
    return f"clean accuracy {clean:.1%}, {kind} {text}{_after(evaluation)}"


def _after(evaluation: Result) -> str:
    """``; after remedies (bpda, eot) 12.0% (9.0% to 15.6%)``, or nothing."""
    after = evaluation.after_remedies
    if after is None:
        return ""
    left = after.accuracy
    made = ", ".join(after.made) or "none could be made"
    return f"; after remedies ({made}) {left:.1%} ({left.low:.1%} to {left.high:.1%})"


def _remedies(evaluation: Result) -> list[str]:
    """What each remedy broke, and what called for it, a line each."""
    after = evaluation.after_remedies
    if after is None:
        return []
    if after.votes is not None:
        vote = f"by the majority of {after.votes} answers (shares are off by up to "
        vote += f"{after.vote_error:.1%}, standard error)"
    else:
        vote = "beyond the attacks"
    return [
        f"remedy {name} was not made: {escape(one.not_made)}"
        if one.not_made
        else f"remedy {name} broke {int(one.broken.sum())} images {vote}, called for by "
        f"{', '.join(one.called_by)}"
        for name, one in after.remedies.items()
    ]


def threat(evaluation: Result, size: str) -> str:
    """Threat model, images and protocol: ``linf 0.03137, 400 images, protocol medium (3 of 5)``."""
    ball = evaluation.threat
    return (
        f"{ball.norm} {ball.epsilon:.4g}, {evaluation.n} images, protocol {size} "
        f"({rank(BY_NAME[size])})"
    )


def lines(evaluation: Result, size: str) -> list[str]:
    """Verdict, threat model, accuracies, and each check that did not pass. size: the protocol."""
    verdict = evaluation.conclusion
    return [
        verdict.verdict,
        f"{threat(evaluation, size)}; {summary(verdict)}",
        headline(evaluation),
        *in_words(evaluation.certified, evaluation.robust_accuracy),
        *(f"{one.check.name}: {text}" for one in reasons(verdict) if (text := explanation(one))),
        *mishaps(evaluation),
    ]


def mishaps(evaluation: Result) -> list[str]:
    """The attacks that were not made, and those whose images lie outside the ball."""
    not_made = [f"{name} was not made: {reason}" for name, reason in evaluation.not_made.items()]
    outside = [
        f"{name}: {count} of {evaluation.n} images lie outside the ball or [0, 1], and count as "
        "failures"
        for name, one in evaluation.attacks.items()
        if (count := int(one.outside.sum()))
    ]
    return not_made + outside


def reasons(verdict: Verdict) -> list[Answer]:
    """The answers, failed ones first."""
    return sorted(verdict.answers, key=lambda one: one.result != "failed")


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
        *map(escape, in_words(evaluation.certified, evaluation.robust_accuracy)),
        *why,
        "",
        _attacks(evaluation),
        *map(escape, mishaps(evaluation)),
        *_remedies(evaluation),
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
