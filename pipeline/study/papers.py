"""The papers behind the reference files, as pages cite them."""

from pathlib import Path

from pipeline.study.slices import REFERENCES
from pipeline.study.strict_yaml import read


def titles() -> dict[str, str]:
    """{name of a reference file: its title}."""
    files = sorted(Path(REFERENCES).glob("*.yaml"))
    return {file.stem: str(read(file)[0].get("title", file.stem)) for file in files}
