"""python -m tests.fuzz STUDIES FILES: so many of each are drawn, and docs/bad-input.md is made.

Part after part, each of its own seed; the page counts the parts that are done. An outcome that
should not be is printed with its seed and number, and the exit status is then 1.
"""

import json
import sys
from collections import Counter

from robustinfo.core.files import atomic_write
from tests.fuzz import counts
from tests.fuzz.page import COUNTED, PAGE, page
from tests.fuzz.readers import READERS

PART = 50  # cases of one seed


def main(many_studies: int, many_files: int) -> int:
    """Draw them all. Returns how many ended as none should."""
    table: dict[str, dict[str, Counter[str]]] = {}
    wrong = 0
    for seed in range(max(many_studies // 2, many_files // len(READERS)) // PART + 1):
        for group, counted, bad in _part(seed, many_studies // 2, many_files // len(READERS)):
            for kind, results in counted.items():
                table.setdefault(group, {}).setdefault(kind, Counter()).update(results)
            for one in bad:
                print(f"{group}, seed {seed}, {one.number}: {one.result}: {one.text}", flush=True)
            wrong += len(bad)
        with atomic_write(COUNTED) as partial:
            partial.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page(), encoding="utf-8")
    return wrong


def _part(seed: int, of_studies: int, of_files: int):
    left = min(PART, of_studies - seed * PART)
    if left > 0:
        for shipped, group in ((False, "a small study"), (True, "the shipped studies")):
            yield group, *counts.studies(seed, left, shipped)
    left = min(PART, of_files - seed * PART)
    for name in READERS if left > 0 else ():
        yield "files", *counts.files(name, seed, left)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:] or (20_000, 5_000))) > 0)
