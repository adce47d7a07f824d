"""Stages of a study run in this process, in a folder of their own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest

from pipeline.run.job import Job
from pipeline.run.start import perform
from pipeline.study.check import load
from pipeline.study.slices import slices


@contextmanager
def staged(folder: Path, text: str) -> Iterator[tuple[dict, Callable]]:
    """The study that the text is, and what runs one of its stages: (stage, program, names)."""
    for name in ("src", "pipeline", "studies"):  # a stage looks at the code that it runs
        (folder / name).symlink_to(Path(name).absolute())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("ROBUSTINFO_DATA", str(folder / "data"))
        Path("params.yaml").write_text(text)
        study = load(Path("params.yaml"))

        def run(stage: str, program: str | None = None, **names: str) -> None:
            job = Job(stage, study["name"], names, slices(study, stage, names))
            perform(import_module(f"pipeline.stages.{program or stage}").run, job)

        yield study, run
