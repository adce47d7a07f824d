"""Sixty honest networks, and what tells an attack on them that ends early from one that does not.

    python -m benchmarks.honest_networks [--folder FOLDER] [--file FILE] [--images 100] [NAME ...]

Trains what is not in the folder yet (by default ``honest`` beside the data sets, ROBUSTINFO_DATA or
``data``), about 15 minutes of one core for all, and says how each does on its test images. With a
file, every network that is not yet in it is measured, too, by PGD as in the protocols and by PGD
that ends early; then the rule is applied: OPEN is the least threshold for which at most 5 % of all
images are unconverged in each of the thirty networks "fit", rounded up to a tenth.
"""

import argparse
import math
import time
from pathlib import Path

import pandas as pd
import torch

from benchmarks.honest.measuring import EARLY, HONEST, SPARED, rows
from benchmarks.honest.registry import BY_NAME, NETWORKS, load
from robustinfo.core.batches import accuracy

NEEDED = ("open_needed", "open_needed_cross_entropy")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--images", type=int, default=100)
    ruled = [one.name for one in NETWORKS if one.group != "more"]
    parser.add_argument("names", nargs="*", default=ruled)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.names:
        start = time.process_time()
        network, x, y = load(name, given.folder, given.images)
        took = time.process_time() - start
        print(f"{name}: {accuracy(network, x, y):.1%} right, {took:.0f} s", flush=True)
        if given.file is not None:
            measure(name, network, x, y, given.file)
    if given.file is not None:
        print(summary(pd.read_csv(given.file)).to_string(index=False))


def measure(
    name: str, network: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, file: Path
) -> None:
    """Add the network's rows to the file, unless it has them."""
    there = file.exists()
    if not (there and name in set(pd.read_csv(file)["name"])):
        found = pd.DataFrame(rows(BY_NAME[name], network, x, y))
        found.to_csv(file, mode="a", header=not there, index=False, float_format="%.4g")


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """For every path: in how many networks more than 5 % of the images are unconverged.

    Once by the log-odds, once by the cross-entropy itself, each at the threshold that the rule has;
    and in how many twice the steps, or the restarts, of that path find more than 1 %.
    """
    honest = table[table["path"].isin(HONEST) & (table["group"] == "fit")]
    limits = {name: math.ceil(10 * honest[name].max()) / 10 for name in NEEDED}
    print(f"at most {SPARED:.0%} unconverged in all that are fit: {limits}")
    found = []
    for path in [*HONEST, *EARLY]:
        for group, some in table[table["path"] == path].groupby("group"):
            row = {"path": path, "group": group, "networks": len(some)}
            row |= {name: int((some[name] > limits[name]).sum()) for name in NEEDED}
            tried = some["doubled_gain"].dropna()
            row["doubled_gain"] = int((tried > 0.01).sum()) if len(tried) else "-"
            found.append(row)
    return pd.DataFrame(found)


if __name__ == "__main__":
    main()
