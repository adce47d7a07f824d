"""A plan as tables for a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from robustinfo.evaluation.budget import duration
from robustinfo.evaluation.planning import EFFORTS

HOW_TO_TIME = (
    "Time and memory are measured on a network: robustinfo plan MODEL --data digits --epsilon 8/255"
)
MEASURED = (
    "Time is mostly an upper bound, on an idle machine; with --twin it is twice as long. Memory is "
    "that of a process with the images of the diagnostics and the gradient of one whole batch; "
    "evaluations held 0.9 to 1.4 times as much (three networks)."
)


def render(plan: Mapping[str, Any]) -> Group:
    """The protocols, their attacks, and what differences can be seen."""
    threats, protocols = plan.get("threats") or [plan["threat"]], plan["protocols"]
    timed = plan["device"] is not None
    seen = plan["to_tell_apart"]
    return Group(
        Text(f"{_balls(threats)}, passes per image"),
        _protocols(protocols, plan["device"]),
        *map(Text, plan["notes"]),
        Text(_remedies(protocols[-1])),
        Text(MEASURED if timed else HOW_TO_TIME),
        Text("\nAttacks: how long each tries"),
        _attacks(protocols),
        Text(
            "\nImages that show a difference in accuracy of two networks (95 %, in 80 % of all "
            "cases), both on the same images; discordance: the fraction that only one has right"
        ),
        _grid(seen["images"], "discordance", "images"),
        Text(
            "\nSeeds that show a difference in accuracy of two methods, both with the same seeds; "
            "deviation: the standard deviation of the difference over seeds"
        ),
        _grid(seen["seeds"], "deviation", "seeds"),
    )


def _balls(threats: Sequence[Mapping[str, Any]]) -> str:
    """``linf 0.03137``; of several, ``linf 0.03137 and l2 0.5 together``."""
    balls = " and ".join(f"{one['norm']} {one['epsilon']:.4g}" for one in threats)
    return balls + " together" * (len(threats) > 1)


def _remedies(protocol: Mapping[str, Any]) -> str:
    """What remedies take at most; in all protocols about the same."""
    passes, queries = protocol["remedies"], protocol["remedies_by_answers"]["without"]
    return (
        "Where checks fail, the remedies that they call for come on top, on what is still robust: "
        f"at most {passes['with_gradient']:,} passes per image with gradient, "
        f"{passes['without']:,} without; --no-remedies leaves them out. Of a network "
        f"that is known by its answers alone --remedies makes them: at most {queries:,} queries."
    )


def _protocols(protocols: Sequence[Mapping[str, Any]], device: str | None) -> Table:
    table = _table("protocol", ["images", "with gradient", "without"])
    if device:
        table.add_column(f"time on {device}", justify="right")
        table.add_column("memory", justify="right")
    for one in protocols:
        passes = one["passes_per_image"]
        cells = [f"{one['images']:,}", *(f"{n:,}" for n in passes.values())]
        if device:
            memory = one["memory_mib"]
            cells.append(duration(one["seconds"]))
            cells.append("unknown" if memory is None else f"{memory:,.0f} MiB")
        table.add_row(one["protocol"], *cells)
    return table


def _attacks(protocols: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("attack", ["in", *(one["protocol"] for one in protocols)])
    for name, largest in protocols[-1]["attacks"].items():
        efforts = [one["attacks"].get(name) for one in protocols]
        unit = " x ".join(key for key in EFFORTS if key in largest).replace("_", " ")
        table.add_row(name, unit, *map(_effort, efforts))
    return table


def _effort(attack: Mapping[str, int] | None) -> str:
    """``3 x 50``; ``yes`` of an attack whose effort is fixed; ``-`` where there is none."""
    if attack is None:
        return "-"
    return " x ".join(f"{attack[key]:,}" for key in EFFORTS if key in attack) or "yes"


def _grid(rows: Iterable[Mapping[str, Any]], by: str, value: str) -> Table:
    """Differences of accuracies in lines, by another fraction in columns."""
    lines: dict[float, dict[float, int | None]] = {}
    for row in rows:
        lines.setdefault(row["difference"], {})[row[by]] = row[value]
    columns = next(iter(lines.values()))
    table = _table(f"difference, by {by}", [f"{one:g}" for one in columns])
    for difference, numbers in lines.items():
        table.add_row(
            f"{difference:g}", *("-" if n is None else f"{n:,}" for n in numbers.values())
        )
    return table


def _table(first: str, others: Iterable[str]) -> Table:
    table = Table(first)
    for name in others:
        table.add_column(name, justify="right")
    return table
