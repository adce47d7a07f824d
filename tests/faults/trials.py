"""Make faults happen, each on the mini study through Snakemake, and write the table of them.

    python -m tests.faults.trials [--only NAME ...] [--kills N]

What each trial found lies in found.json beside this file; docs/faults.md is made from it.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from robustinfo.core.files import atomic_write
from tests.faults import clocks, damage, disks, drivers, kills, stores, table
from tests.faults.project import Project
from tests.faults.row import Row

TRIALS: dict[str, Callable[..., list[Row]]] = {
    name: module.trial
    for name, module in zip(
        table.NAMES, (kills, drivers, disks, damage, clocks, stores), strict=True
    )
}


def whole(folder: Path) -> Project:
    """A project after one whole run that nothing disturbed."""
    project = Project(folder)
    code, said = project.run()
    assert code == 0, said
    return project


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", default=list(TRIALS), choices=TRIALS)
    parser.add_argument("--whole", type=Path, help="a folder with the project after a whole run")
    parser.add_argument("--kills", type=int, default=kills.MOST)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults-") as top:
        first = whole(given.whole or Path(top, "whole"))
        for name in given.only:
            settings = {"most": given.kills} if name == "kills" else {}
            print(f"{name} ...", flush=True)
            write(name, TRIALS[name](first, Path(top, name), **settings))
            shutil.rmtree(Path(top, name), ignore_errors=True)
    table.write()
    if wrong := [row["fault"] for row in table.found() if row["held"] < row["tried"]]:
        sys.exit(f"not as promised: {', '.join(wrong)}")


def write(name: str, rows: list[Row]) -> None:
    """Keep what a trial found; that of the others stays."""
    found = json.loads(table.FOUND.read_text("utf-8")) if table.FOUND.exists() else {}
    found[name] = [row._asdict() for row in rows]
    for row in rows:
        print(f"{row.fault}: {row.held} of {row.tried}; {row.said}", flush=True)
    ordered = {one: found[one] for one in TRIALS if one in found}
    with atomic_write(table.FOUND) as partial:
        partial.write_text(json.dumps(ordered, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
