"""Files that are not as they were written: a flipped bit or a missing end, in every kind."""

import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest
import torch

from pipeline.results import rows, sealed_text
from pipeline.run import resuming, start
from pipeline.run.plan import Plan
from pipeline.study import checked
from robustinfo.core.errors import UserError
from robustinfo.core.sealed import unseal
from tests.faults.project import RUN, STUDY, Project
from tests.faults.row import Row

FLIPS, CUTS = 20, 3  # of every file
READERS: dict[str, Callable] = {
    ".safetensors": unseal,
    ".csv": rows.read,
    "data.json": sealed_text.read_json,
}


def trial(whole: Project, folder: Path) -> list[Row]:
    """Every file that a stage reads, by its reader; one of every kind, by every stage."""
    project = whole.copy(folder)
    state = folder / RUN / ".training"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("ROBUSTINFO_DATA", str(folder / "data"))
        patch.syspath_prepend(str(folder))
        resuming.save_state(state, "identity", {"epoch": 1, "weights": torch.ones(9)}, [])
        by_files = [*_by_readers(state / "state.safetensors")]
        resuming.discard(state)
        by_stages = _by_stages()
        object_of_dvc = _object_of_dvc(project)
    return [*by_files, by_stages, object_of_dvc]


def altered(content: bytes, flips: int, cuts: int, seed: int = 0) -> Iterator[bytes]:
    """The content with one flipped bit each, then without its end."""
    draw = random.Random(seed)
    for _ in range(flips):
        other = bytearray(content)
        other[draw.randrange(len(other))] ^= 1 << draw.randrange(8)
        yield bytes(other)
    for _ in range(cuts):
        yield content[: draw.randrange(len(content))]


def _by_readers(state: Path) -> Iterator[Row]:
    read = {file for file in _read_by_stages() if file.is_file()}
    kinds: dict[str, list[Path]] = {}
    for file in sorted(read):
        kinds.setdefault(_kind(file), []).append(file)
    kinds["state of a training"] = [state]
    for kind, files in kinds.items():
        reader = READERS[state.suffix if kind == "state of a training" else kind]
        tried = held = 0
        for file in files:
            content = file.read_bytes()
            for other in altered(content, FLIPS, CUTS):
                tried += 1
                held += refused(reader, file, other)
            file.write_bytes(content)
        said = f"{len(files)} files: refused by name, `delete it and run ... again`"
        yield Row(f"a flipped bit, or a missing end: {kind}", tried, held, said)


def refused(reader: Callable, file: Path, content: bytes) -> bool:
    """Whether the file with this content is refused by its name, and how to make it again."""
    file.chmod(0o644)
    file.write_bytes(content)
    try:
        reader(file)
    except UserError as error:
        return str(file) in str(error) and "delete it and run" in str(error)
    return False


def _read_by_stages() -> set[Path]:
    plan = Plan(checked.load(Path(STUDY)))
    paths = {
        file.path for job in plan.jobs.values() for of in plan.reads(job).values() for file in of
    }
    snapshots = {one for path in paths if path.is_dir() for one in path.iterdir()}
    return {path for path in paths | snapshots if _kind(path) in READERS}


def _kind(file: Path) -> str:
    return file.name if file.name in READERS else file.suffix


def _by_stages() -> Row:
    """The first file of every role of every stage with a flipped bit, through the stage itself."""
    study = checked.load(Path(STUDY))
    plan = Plan(study)
    found = []
    for stage in plan.contracts:
        job = next((job for job in plan.of(stage) if plan.reads(job)), None)
        for files in plan.reads(job).values() if job else ():
            path = next(one.path for one in files)
            path = sorted(path.iterdir())[0] if path.is_dir() else path
            if _kind(path) in READERS:
                perform = partial(start.perform, start.build_job(study, stage, job.names))
                found.append(_flipped(path, perform, plan.writes(job).values()))
    unread = found.count("not needed")
    said = f"refused by name; {unread} of them did not need the file: same bytes"
    held = len(found) - found.count("used")
    return Row("a flipped bit in a file that a stage is given", len(found), held, said)


def _flipped(path: Path, perform: Callable[[], None], writes: Iterable[Path]) -> str:
    """What a job made of a file with a flipped bit: ``refused``, ``not needed``, ``used``."""
    content = path.read_bytes()
    before = {one: one.read_bytes() for one in writes if one.is_file()}
    path.chmod(0o644)
    path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    try:
        perform()
    except UserError as error:
        return "refused" if str(path) in str(error) and "again" in str(error) else "used"
    else:
        same = all(one.read_bytes() == old for one, old in before.items())
        return "not needed" if same else "used"
    finally:
        path.write_bytes(content)


def _object_of_dvc(project: Project) -> Row:
    """What `dvc checkout` brings from a damaged cache is refused by whoever reads it."""
    cache = project.folder / "of-dvc"
    cache.mkdir()
    tables = sorted(Path(RUN).rglob("*.csv"))[:4]
    for number, table in enumerate(tables):
        (cache / f"{number}.csv").write_bytes(table.read_bytes())
    dvc = (sys.executable, "-m", "dvc")
    os.chdir(cache)
    inside = Project(cache)
    inside.run(*dvc, "init", "--no-scm", "--quiet")
    names = [f"{number}.csv" for number in range(len(tables))]
    inside.run(*dvc, "add", "--quiet", *names)
    for file in Path(".dvc/cache/files").rglob("*"):
        if file.is_file():
            file.chmod(0o644)
            file.write_bytes(next(altered(file.read_bytes(), 1, 0)))
    for name in names:
        Path(name).unlink()
    inside.run(*dvc, "checkout", "--quiet")
    found = [refused(rows.read, Path(name), Path(name).read_bytes()) for name in names]
    os.chdir(project.folder)
    return Row(
        "a flipped bit in an object of DVC's cache, then `dvc checkout`",
        len(found), sum(found), "refused by name, `delete it and run snakemake again`",
    )  # fmt: skip
