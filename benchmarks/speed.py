"""The table of docs/speed.md, from the newest results of every benchmark that has rows.

    python -m benchmarks.speed > docs/speed.md

Reads benchmarks/results/DATE-NAME/speed.json. The same results give the same page.
"""

import json
from pathlib import Path

from benchmarks._timing import Row, Spread

RESULTS = Path("benchmarks/results")
TRIAL = "cpu-"  # begins what `gpu.sh --device cpu` calls its results
COLUMNS = ("kernel", "ours", "peer", "ratio", "goal", "limit", "peak MiB: ours, peer", "run")

PAGE = """\
# How quick it is

Each line is a kernel of ours beside a peer's, in turn in one process, after their values have been
compared: medians of the rounds; of the ratio, the peer's time over ours round by round, also the
least and the most. On a CPU the time is the processor's, on a GPU the clock's. **Limit**: the ratio
that arithmetic leaves, were all else free, counted as below. **Peak**: memory beyond what was held
before the call, of the whole process, or of the GPU's tensors. **Run**: the command, below.

{table}

## Limits

{limits}

## Runs

{runs}

Made by `python -m benchmarks.speed > docs/speed.md`; `benchmarks/gpu.sh` runs the GPU halves.
"""


def newest(results: Path) -> dict[str, dict]:
    """{NAME: what its newest speed.json holds}, of those that have rows, by name."""
    files = sorted(results.glob("????-??-??-*/speed.json"))
    files = [file for file in files if not file.parent.name[11:].startswith(TRIAL)]
    found = {file.parent.name[11:]: json.loads(file.read_text()) for file in files}
    return {name: found[name] for name in sorted(found) if found[name]["rows"]}


def page(results: Path) -> str:
    runs = newest(results)
    lines, limits, run_lines = [], {}, []
    for number, (name, run) in enumerate(runs.items(), 1):
        for one in (Row(**values) for values in run["rows"]):
            lines.append(_line(one, number))
            if one.why:
                limits[one.why] = None
        run_lines.append(
            f"{number}. *{name}*: `{run['command']}`, {run['date']}, {run['processor']}"
        )
    head = [_cells(COLUMNS), _cells(["---"] * len(COLUMNS))]
    return PAGE.format(
        table="\n".join(head + lines),
        limits="\n".join(f"- {why}" for why in limits) or "None is counted.",
        runs="\n".join(run_lines),
    )


def _line(one: Row, number: int) -> str:
    ratio = f"**{one.ratio[0]:g}** ({one.ratio[1]:g} to {one.ratio[2]:g})"
    aims = [_number(one.goal), _number(one.limit)]
    peaks = f"{_number(one.ours_mib)}, {_number(one.theirs_mib)}"
    theirs = f"{one.peer}: {_time(one.theirs, one.unit)}"
    return _cells([one.kernel, _time(one.ours, one.unit), theirs, ratio, *aims, peaks, str(number)])


def _time(spread: Spread, unit: str) -> str:
    return f"{spread[0]:g} {unit}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _cells(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(page(RESULTS), end="")
