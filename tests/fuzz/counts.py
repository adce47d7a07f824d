"""Bad input counted: how much of each kind was taken, was refused, or ended in any other way."""

import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.limited import REFUSED, Outcome, outcomes
from tests.fuzz.readers import READERS, is_good, read_study, reader
from tests.fuzz.studies import mutated
from tests.test_outline import STUDY

UNCLEAR = "unclear refusal"
# The studies that change: those that are checked in less than a second.
SHIPPED = (
    "params.yaml", "studies/calibrated-information.yaml", "studies/entropic-retraining-small.yaml",
    "studies/ib-rar-small.yaml", "studies/mutual-information-small.yaml",
    "studies/one-bit-matters-small.yaml", "studies/published-models-small.yaml",
    "studies/smoothing-small.yaml", "studies/uncertainty-small.yaml",
)  # fmt: skip
Counted = dict[str, Counter[str]]  # {kind of change: {result: how many}}


def studies(seed: int, many: int, shipped: bool) -> tuple[Counted, list[Outcome]]:
    """Counts of studies of one family by their change, and outcomes that should not be."""
    texts = [Path(file).read_text("utf-8") for file in SHIPPED] if shipped else [STUDY]
    cases = [*islice(mutated(texts, seed), many)]
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file in (*Path("studies").glob("*.yaml"), Path("params.yaml")):
            shutil.copy(file, folder)
        found = outcomes(cases, reader(read_study, folder))
        counted: Counted = {}
        for (change, _), result in zip(cases, _judged("study", folder, found), strict=True):
            change = "several changes" if " + " in change else change
            counted.setdefault(change, Counter())[result] += 1
        return counted, [*_wrong("study", folder, found)]


def files(name: str, seed: int, many: int) -> tuple[Counted, list[Outcome]]:
    """Counts of files of one kind, and outcomes that should not be."""
    read, draw = READERS[name]
    with TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        found = outcomes([*islice(draw(seed), many)], reader(read, folder))
        return {name: Counter(_judged(name, folder, found))}, [*_wrong(name, folder, found)]


def _judged(name: str, folder: Path, found: list[Outcome]) -> Iterator[str]:
    for one in found:
        good = one.result != REFUSED or is_good(name, folder, one.text)
        yield one.result if good else UNCLEAR


def _wrong(name: str, folder: Path, found: list[Outcome]) -> Iterator[Outcome]:
    for one, result in zip(found, _judged(name, folder, found), strict=True):
        if result not in ("taken", REFUSED):
            yield one
