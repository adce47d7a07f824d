"""A union in a terminal: its accuracies, a line by threat model, and then each evaluation."""

from rich.console import Group
from rich.table import Table

from robustinfo.evaluation import terminal
from robustinfo.evaluation.accuracy import Accuracy
from robustinfo.evaluation.checks import UNTRUSTED
from robustinfo.evaluation.options import Detail
from robustinfo.evaluation.sizes import BY_NAME, rank
from robustinfo.evaluation.union.result import UnionResult


def lines(union: UnionResult) -> list[str]:
    """Verdict, threat models, accuracies, and a line by threat model."""
    return [
        f"{union.verdict} ({', '.join(union.verdict_of)})",
        _asked(union),
        _headline(union),
        *(_line(*row) for row in _rows(union)),
    ]


def render(union: UnionResult, detail: Detail) -> Group:
    """The same with a table, and every evaluation as it is printed by itself."""
    colour = terminal.COLOURS.get(union.verdict, "red")
    verdict = f"[bold {colour}]{union.verdict}[/] ({', '.join(union.verdict_of)})"
    table = Table("threat model", "verdict", "robust accuracy (95 %)", "after remedies")
    for row in _rows(union):
        table.add_row(*row)
    parts = [
        part
        for one in union.threats.values()
        for part in ("", terminal.render(one, _protocol(union), detail))
    ]
    return Group(f"{verdict}\n{_asked(union)}\n{_headline(union)}", table, *parts)


def _asked(union: UnionResult) -> str:
    """``union of linf 0.03137 and l2 0.5, 400 images, protocol medium (3 of 5)``."""
    balls = " and ".join(_ball(union, norm) for norm in union.threats)
    size = BY_NAME[_protocol(union)]
    return f"union of {balls}, {union.n} images, protocol {size.name} ({rank(size)})"


def _headline(union: UnionResult) -> str:
    """The accuracies; those after remedies are of every threat model, too."""
    kind = "black-box accuracy" if union.black_box else "robust accuracy"
    after = union.after_remedies
    return (
        f"clean accuracy {union.clean_accuracy:.1%}, {kind} in the union "
        f"{_bound(union.verdict, union.robust_accuracy)}, on average {union.average_accuracy:.1%}"
        + (f"; after remedies in the union {_between(after.accuracy)}" if after else "")
    )


def _rows(union: UnionResult) -> list[tuple[str, str, str, str]]:
    """By threat model: its ball, verdict, robust accuracy, and that after remedies, or nothing."""
    return [
        (
            _ball(union, norm),
            one.verdict,
            _bound(one.verdict, one.robust_accuracy),
            "" if one.after_remedies is None else _between(one.after_remedies.accuracy),
        )
        for norm, one in union.threats.items()
    ]


def _line(ball: str, verdict: str, accuracy: str, after: str) -> str:
    return f"{ball}: {verdict}, {accuracy}" + (f"; after remedies {after}" if after else "")


def _ball(union: UnionResult, norm: str) -> str:
    return f"{norm} {union.threats[norm].threat.epsilon:.4g}"


def _protocol(union: UnionResult) -> str:
    return next(iter(union.threats.values())).about["protocol"]["name"]


def _bound(verdict: str, accuracy: Accuracy) -> str:
    return "at most " * (verdict in UNTRUSTED) + _between(accuracy)


def _between(accuracy: Accuracy) -> str:
    return f"{accuracy:.1%} ({accuracy.low:.1%} to {accuracy.high:.1%})"
