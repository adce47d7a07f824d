"""An evaluation in lines of text; terminal.py has the tables."""

from rich.markup import escape

from robustinfo.evaluation import beside, certificate, distances
from robustinfo.evaluation.checks import SIGNS, UNTRUSTED
from robustinfo.evaluation.result import Result
from robustinfo.evaluation.sizes import BY_NAME, rank
from robustinfo.evaluation.verdict import Answer, Verdict


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


def lines_of_remedies(evaluation: Result) -> list[str]:
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
        *beside_attacks(evaluation),
        *(f"{one.check.name}: {text}" for one in reasons(verdict) if (text := explanation(one))),
        *mishaps(evaluation),
    ]


def beside_attacks(evaluation: Result) -> list[str]:
    """What stands beside robust accuracy, a line each."""
    return [
        *certificate.in_words(evaluation.certified, evaluation.robust_accuracy),
        *distances.in_words(evaluation.distances),
        *beside.in_words(evaluation.measurements),
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
