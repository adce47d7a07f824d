"""What the measures of a defence's last epoch say of the verdict: do they mean anything?

Notes only, but for one: a defence that is said to work by taking information away from a layer, and
does take it away, has to leave more images than its twin.
"""

from collections.abc import Iterator

import pandas as pd

from pipeline.results.statistics import chosen
from robustinfo.core.measurement import Measurement, exact

FELL = 0.05  # of the twin's value; less is no fall
CHANCE = "_chance"  # what the measure is of permuted samples
INPUT = r"^information_input|^n?hsic_input$"  # what a layer knows of its input


def information(
    setting: pd.DataFrame, defence: str, twin: str, gain: Measurement | None
) -> Iterator[Measurement]:
    """What the study measures, as checks read it: means over seeds, layers and entries.

    ``information_at_ceiling_fraction``: of the estimates that have a ceiling, how many are there.
    ``information_over_chance``: the least that a measure lies above its value for permuted samples.
    ``gain_where_information_fell``: the gain, if a measure of the last layer that is not at its
    ceiling fell below the twin's.
    """
    own, other = _last(setting, defence), _last(setting, twin)
    bounded = own[own.ceiling.notna()]
    if len(bounded):
        yield exact("information_at_ceiling_fraction", bounded.saturated.eq("True").mean())
    least = _over_chance(own)
    if least is not None:
        yield exact("information_over_chance", least)
    if gain is not None and _fell(own, other):
        yield gain._replace(quantity="gain_where_information_fell")


def _last(setting: pd.DataFrame, defence: str) -> pd.DataFrame:
    """Of clean images, in the last epoch; without what could not be said."""
    where = {"stage": "measure", "input": "clean", "defence": defence, "epoch": "last"}
    found = chosen(setting, where)
    return found[found.value.notna()]


def _over_chance(rows: pd.DataFrame) -> float | None:
    means = rows.groupby(["entry", "layer", "quantity"], sort=False).value.mean()
    leads = [
        value - means[entry, layer, quantity + CHANCE]
        for (entry, layer, quantity), value in means.items()
        if (entry, layer, quantity + CHANCE) in means.index
    ]
    return min(leads, default=None)


def _fell(own: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether any measure of what the last layer knows of its input lies below the twin's."""
    mine, theirs = _ends(own), _ends(other)
    return any(mine[key] < (1 - FELL) * theirs[key] for key in mine.keys() & theirs.keys())


def _ends(rows: pd.DataFrame) -> dict[tuple, float]:
    """By entry, quantity and layer, of the last layer there is, unless a seed sits at its ceiling.

    The layers stand in the network's order.
    """
    told = rows[rows.quantity.str.contains(INPUT)]
    ends = {}
    for (entry, quantity), layers in told.groupby(["entry", "quantity"], sort=False):
        last = layers[layers.layer == layers.layer.iloc[-1]]
        if not last.saturated.eq("True").any():
            ends[entry, quantity, last.layer.iloc[0]] = last.value.mean()
    return ends
