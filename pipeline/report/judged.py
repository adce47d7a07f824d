"""The checks behind the verdicts in words, as the page of one evaluation has them; and why."""

from typing import Any, NamedTuple

import pandas as pd

from robustinfo.evaluation.checks import BY_NAME, HOLDS, NOTE
from robustinfo.evaluation.display.norms import NORMS
from robustinfo.evaluation.display.numbers import pixels
from robustinfo.evaluation.report.check_groups import FIRST, grouped
from robustinfo.evaluation.report.quantities import MEASURED, in_words
from robustinfo.evaluation.report.schema import Checked

OF = ["dataset", "model", "norm", "defence"]
MOST_REASONS = 2
BALL = "{ball}; pixel values are in [0, 1]. {known}."
WHITE_BOX = "The attacker knows the network, its weights and gradients (white box)"
BLACK_BOX = "The attacker knows the network by its answers alone (black box)"


class Judged(NamedTuple):
    """The checks of one defence in one threat model."""

    id: str
    defence: str
    groups: dict[str, list[Checked]]  # by title; those that failed come first
    passed: list[Checked]
    not_run: list[Checked]


def judged(checks: pd.DataFrame) -> dict[str, list[Judged]]:
    """{setting and norm: its defences}."""
    found: dict[str, list[Judged]] = {}
    for (dataset, model, norm, defence), lines in checks.groupby(OF, sort=False):
        groups = grouped([_checked(line) for line in lines.to_dict("records")])
        by_title = {title: groups[key] for key, title in FIRST.items()}
        about = f"checks-{dataset}-{model}-{norm}-{defence}"
        one = Judged(about, defence, by_title, groups["passed"], groups["not run"])
        found.setdefault(f"{dataset}, {model}, {NORMS[norm].symbol}", []).append(one)
    return found


def threats(board: pd.DataFrame, checks: pd.DataFrame) -> dict[tuple[str, ...], str]:
    """{(dataset, model, norm): the threat model in words}.  board: the leaderboard."""
    climbed = checks[(checks.check == "gradient_attacks") & (checks.value >= 1)]
    white = {*climbed[OF[:3]].itertuples(index=False, name=None)}
    found: dict[tuple[str, ...], str] = {}
    for place, lines in board.groupby(OF[:3], sort=False):
        norm, epsilon = lines.norm.iloc[0], lines.epsilon.iloc[0]
        ball = NORMS[norm].allows.format(size=pixels(epsilon))
        known = WHITE_BOX if place in white else BLACK_BOX
        found[place] = BALL.format(ball=ball, known=known)  # type: ignore[index]
    return found


def reasons(checks: pd.DataFrame, verdict: str) -> str:
    """Why a defence has its verdict: the checks that it failed, or those that are open."""
    groups = grouped([_checked(line) for line in checks.to_dict("records")])
    failed = [one for one in groups["failed"] if one.of_class == verdict]
    if failed:
        return _listed([_measured(one) for one in failed])
    if verdict == HOLDS:
        passed = sum(one.of_class != NOTE for one in groups["passed"])
        return f"{passed} checks passed, and none failed"
    not_run, cannot = (
        [MEASURED[one.check] for one in groups[kind]] for kind in ("required", "cannot say")
    )
    open_ones = {"not run": not_run, "cannot say yet": cannot}
    return "; ".join(f"{kind}: {_listed(texts)}" for kind, texts in open_ones.items() if texts)


def _listed(texts: list[str]) -> str:
    more = len(texts) - MOST_REASONS
    return "; ".join(texts[:MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")


def _measured(one: Checked) -> str:
    text = in_words(one)
    return f"{MEASURED[one.check]}: {text.value} (it has to be {text.rule})"


def _checked(line: dict[str, Any]) -> Checked:
    """A line of checks.csv as the record of evaluation.json."""
    fields: dict[str, Any] = {
        name: None if value != value else value for name, value in line.items()
    }
    names = ("check", "result", "value", "low", "high", "rule", "threshold", "class", "meaning")
    counts = {
        name: None if fields[name] is None else int(fields[name]) for name in ("n", "images_needed")
    }
    about = {name: fields[name] for name in names} | counts
    required = BY_NAME[fields["check"]].required
    return Checked(**about, said_by=fields["entry"] or "", required=required)
