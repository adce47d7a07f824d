"""Checkouts that go on from another, and what is in them."""

import shutil
from pathlib import Path


def branched(folder: Path, name: str) -> Path:
    """A copy of a checkout, beside it."""
    return Path(shutil.copytree(folder, folder.with_name(name), symlinks=True))


def results(folder: Path) -> dict[str, bytes]:
    """Every result of the study by its path; Snakemake's and DVC's own marks are none."""
    root = folder / "results/mini"
    files = [one for one in root.rglob("*") if one.is_file() and not one.name.startswith(".")]
    return {str(one.relative_to(root)): one.read_bytes() for one in files}
