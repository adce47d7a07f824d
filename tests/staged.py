"""Stages of a study run in this process, in a folder of their own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.run import start
from pipeline.study.check import load
from tests.jobs import settle


@contextmanager
def staged(folder: Path, text: str) -> Iterator[tuple[dict, Callable]]:
    """The study that the text is, and what runs one of its stages: (stage, names)."""
    with pytest.MonkeyPatch.context() as patch:
        settle(folder, patch)
        patch.setenv("ROBUSTINFO_DATA", str(folder / "data"))
        Path("params.yaml").write_text(text)
        study = load(Path("params.yaml"))

        def run(stage: str, **names: str) -> None:
            start.perform(start.build_job(study, stage, names))

        yield study, run
