"""The table of the documentation: planted defects before and after remedies.

python -m tests.evaluation.remedies_table [IMAGES [FOLDER [DEFECT ...]]]

IMAGES: at most 450, all test images. FOLDER: where finished parts are kept, from which it goes on.
"""

import sys
from pathlib import Path

import torch

from tests.evaluation.planted import PLANTED
from tests.evaluation.remedied import row

COLUMNS = (
    "planted", "images", "verdict", "before", "after", "alone", "held to", "more", "goal",
    "broken by", "seconds of remedies",
)  # fmt: skip


def main(images: str = "450", folder: str | None = None, *names: str) -> None:
    torch.set_num_threads(1)
    print(f"| {' | '.join(COLUMNS)} |\n|{len(COLUMNS) * '---|'}")
    for name in names or PLANTED:
        one = row(name, int(images), None if folder is None else Path(folder))
        met = "met" if one.excess <= one.allowed else "**missed**"
        accuracies = f"{one.before:.1%} | {one.after:.1%} | {one.alone:.1%} | {one.reference:.1%}"
        print(
            f"| {one.text} | {one.n} | {one.verdict} | {accuracies} | "
            f"{100 * one.excess:+.1f} | ≤ {100 * one.allowed:.0f}: {met} | {one.remedies} | "
            f"{one.seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
