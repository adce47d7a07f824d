"""Figures of an evaluation: accuracy by attack, by epsilon, and by severity of corruptions.

Ink is of one colour, which a page replaces by that of its text. Needs the extra `report`.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from robustinfo.evaluation.display.norms import NORMS
from robustinfo.evaluation.display.numbers import percent, pixels
from robustinfo.evaluation.display.saving import STYLE
from robustinfo.evaluation.report.attack_words import name
from robustinfo.evaluation.report.beside import Corruptions
from robustinfo.evaluation.report.distances import steps
from robustinfo.evaluation.report.schema import Document

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1c2733"
ALONE, TOGETHER = "#0072b2", "#d55e00"  # Okabe-Ito's blue and vermilion
WIDTH = 4.6  # inches: legible in a column of a paper, and on a telephone
LONGEST = 30  # letters of an attack's name
APART = 0.09  # of the axis, between two ticks
COLOURED = {
    "text.parse_math": False,  # a name may hold dollars
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color", "grid.color"), INK),
}


def figures(document: Document) -> Iterator[tuple[str, "Figure"]]:
    """(name, figure) of everything that an evaluation has to draw."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE | COLOURED):
        yield "attacks", _attacks(document)
        if document.curve:
            yield "accuracy_by_epsilon", _curve(document)
        if document.corruptions:
            yield "accuracy_by_severity", _by_severity(document, document.corruptions)


def empty(height: float) -> tuple["Figure", "Axes"]:
    """A figure without a ground, and its axes. height: in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.patch.set_visible(False)
    axis = figure.subplots()
    axis.patch.set_visible(False)
    return figure, axis


def _attacks(document: Document) -> "Figure":
    """A bar per attack, the strongest on top, between the worst case and the clean accuracy."""
    attacks = sorted(document.attacks.items(), key=lambda pair: pair[1].leaves)
    figure, axis = empty(1.1 + 0.24 * (len(attacks) + 1))
    _bar(axis, 0, document.robust_accuracy, document.interval, TOGETHER)
    for place, (_, attack) in enumerate(attacks, start=1):
        _bar(axis, place, attack.leaves, attack.interval, ALONE)
    axis.axvline(100 * document.clean_accuracy, color=INK, ls="--", lw=1)
    label = f"clean {percent(document.clean_accuracy)}"
    axis.text(100 * document.clean_accuracy, -0.75, label, ha="right", va="center", fontsize=8)
    names = ["all together", *(_short(name(one)) for one, _ in attacks)]
    axis.set_yticks(range(len(names)), names)
    axis.set(xlim=(0, 100), ylim=(len(names) - 0.4, -1.2), xlabel="accuracy left, in %")
    axis.set_xticks(range(0, 101, 20))
    axis.grid(False, axis="y")
    axis.set_axisbelow(True)
    axis.tick_params(axis="y", length=0)
    return figure


def _bar(axis: "Axes", place: float, value: float, interval: list[float], colour: str) -> None:
    axis.barh(place, 100 * value, height=0.66, color=colour, alpha=0.85, lw=0)
    axis.plot([100 * end for end in interval], [place, place], color=INK, lw=1)
    axis.text(102, place, percent(value), ha="left", va="center", fontsize=8)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _curve(document: Document) -> "Figure":
    """Accuracy over epsilon with its interval; dashed: the epsilon that is judged.

    Stepped: as it is read off the least distances, if there are any.
    """
    figure, axis = empty(2.6)
    points, judged = document.curve, document.threat.epsilon
    at = [point.epsilon for point in points]
    low, high = ([100 * point.interval[end] for point in points] for end in (0, 1))
    axis.fill_between(at, low, high, color=ALONE, alpha=0.2, lw=0)
    axis.plot(at, [100 * point.accuracy for point in points], "o-", color=ALONE, ms=4, lw=1.3)
    axis.axvline(judged, color=TOGETHER, ls="--", lw=1)
    if document.distances is not None:
        axis.lines[0].set_label("PGD on the margin, by epsilon")
        at_each, left = steps(document.distances, at[-1])
        shown = [100 * share for share in left]
        axis.step(at_each, shown, where="post", color=INK, lw=1, label="least distances found")
        axis.legend(loc="upper right")
    ticks = list(_ticks(at))
    axis.set_xticks(ticks, [pixels(size) for size in ticks])
    axis.set_ylim(0, 102)
    axis.set_ylabel("accuracy, in %")
    axis.set_xlabel(f"epsilon in {NORMS[document.threat.norm].symbol} (dashed: {pixels(judged)})")
    return figure


def _by_severity(document: Document, corruptions: Corruptions) -> "Figure":
    """A thin line per corruption, and a thick one of their mean; dashed: clean accuracy."""
    figure, axis = empty(2.6)
    levels = [one.severity for one in corruptions.by_corruption[0].by_severity]
    lines = [[100 * one.value for one in row.by_severity] for row in corruptions.by_corruption]
    for line in lines:
        axis.plot(levels, line, "-", color=ALONE, alpha=0.35, lw=0.9)
    means = [sum(values) / len(values) for values in zip(*lines, strict=True)]
    axis.plot(levels, means, "o-", color=TOGETHER, ms=4, lw=1.8)
    axis.axhline(100 * document.clean_accuracy, color=INK, ls="--", lw=1)
    axis.set_xticks(levels)
    axis.set_ylim(0, 102)
    axis.set_ylabel("accuracy, in %")
    axis.set_xlabel(f"severity (dashed: clean {percent(document.clean_accuracy)})")
    return figure


def _ticks(levels: list[float]) -> Iterator[float]:
    """The epsilons of a curve that can be written side by side."""
    last = -math.inf
    for level in levels:
        if level >= last + APART * levels[-1]:
            last = level
            yield level
