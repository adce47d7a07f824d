"""How benchmarks time loops beside each other, and the rows that they give.

A benchmark makes a ``Row`` of every comparison and hands them to ``keep``, which writes
benchmarks/results/DATE-NAME/speed.json; docs/speed.md is made from the newest of each NAME.
"""

import datetime
import json
import platform
import shlex
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from benchmarks._machine import hardware, peak_mib, seconds

Spread = tuple[float, float, float]  # median, least and most of the rounds


class Row(NamedTuple):
    """A loop of ours beside one of a peer, in turn in one process: a line of docs/speed.md."""

    kernel: str  # what is computed, with which settings, on what
    peer: str  # whose loop stands beside ours
    unit: str  # of the two times
    ours: Spread
    theirs: Spread
    ratio: Spread  # theirs over ours, round by round
    ours_mib: float | None  # peak memory beyond what was held before the call; None: not known
    theirs_mib: float | None
    goal: float | None = None  # the ratio that is aimed at
    limit: float | None = None  # the ratio that arithmetic leaves, were all else free
    why: str = ""  # how the limit was counted


class Timed(NamedTuple):
    """The seconds of a loop in every round, and its peak memory."""

    seconds: list[float]
    mib: float | None


def in_turn(
    loops: Mapping[str, Callable[[], object]],
    rounds: int,
    device: torch.device,
    *,
    warm_up: bool = True,
) -> dict[str, Timed]:
    """All loops once a round, so that whatever else the machine does meets all of them.

    Memory is watched in the first round. warm_up: there is one more, the first, and is not timed.
    """
    times: dict[str, list[float]] = {name: [] for name in loops}
    peaks = {}
    for number in range(rounds + warm_up):
        for name, run in loops.items():

            def once(name: str = name, run: Callable[[], object] = run) -> None:
                times[name].append(seconds(run, device))

            if number:
                once()
            else:
                peaks[name] = peak_mib(once, device)
    return {name: Timed(found[warm_up:], peaks[name]) for name, found in times.items()}


def row(
    kernel: str, ours: Timed, peer: str, theirs: Timed, *, unit: str, scale: float, **aim: Any
) -> Row:
    """scale: how many of the unit are a second, 1e3 / n for "ms per image".

    aim: ``goal``, ``limit`` and ``why`` of the row, where there are any.
    """
    return Row(
        kernel,
        peer,
        unit,
        of_rounds([value * scale for value in ours.seconds]),
        of_rounds([value * scale for value in theirs.seconds]),
        of_rounds([b / a for a, b in zip(ours.seconds, theirs.seconds, strict=True)]),
        ours.mib,
        theirs.mib,
        **aim,
    )


def of_rounds(values: list[float]) -> Spread:
    """To three digits."""
    return short(statistics.median(values)), short(min(values)), short(max(values))


def short(value: float) -> float:
    """Three digits of it."""
    return float(f"{value:.3g}")


def keep(rows: list[Row], details: dict, device: torch.device, out: Path | None) -> None:
    """Print them, and write them to ``out``/speed.json, with the command, the day, the processor.

    details: what else there is to know: sizes, equality, versions beside those of torch.
    """
    command = ["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]]
    found = {
        "command": shlex.join(command),
        "date": datetime.date.today().isoformat(),
        "processor": hardware(device),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "rows": [one._asdict() for one in rows],
        "details": details,
    }
    text = json.dumps(found, indent=2)
    print(text)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "speed.json").write_text(text + "\n")


def header(device: torch.device, rounds: int, **versions: str) -> dict:
    """What stands above the numbers of a benchmark without rows."""
    own = {"python": platform.python_version(), "torch": torch.__version__}
    return {
        "device": hardware(device),
        "date": datetime.date.today().isoformat(),
        "versions": own | versions,
        "threads": torch.get_num_threads(),
        "rounds": rounds,
        "of every three numbers": "median, least, most of the rounds",
    }


def spread(values: list[float], digits: int) -> list[float]:
    """Median, least and most."""
    return [round(v, digits) for v in (statistics.median(values), min(values), max(values))]


def write(found: dict, file: Path | None) -> None:
    """Print it, and keep it if asked to."""
    text = json.dumps(found, indent=2)
    print(text)
    if file:
        file.write_text(text + "\n")
