"""Disks that are full, read-only, or refuse Snakemake's folder; then the same with more room."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.project import RUN, SNAKEMAKE, Project, differing
from tests.faults.row import Row

SIZES = (4, 16, 48, 100, 200, 300, 420, 560, 720, 900)  # KiB, of what takes more than the last
TARGETS = (f"{RUN}/attacks/fgsm.csv",)  # data, a training, its attack in slices
ROOM = "64m"
CANNOT = re.compile(r"cannot write [^\n]*")


def trial(whole: Project, folder: Path) -> list[Row]:
    """Needs to be root: every disk is a tmpfs of its own."""
    expected = whole.files()
    full = [_full(Project(folder / str(size)), expected, size) for size in SIZES]
    said = next(text for text, _ in full if text)
    rows = [Row("results/ full, at ten sizes", len(full), sum(held for _, held in full), said)]
    return [*rows, _read_only(whole, folder), _no_folder_of_snakemake(whole, folder)]


def _full(project: Project, expected: dict[str, str], size: int) -> tuple[str, bool]:
    """(what was said, whether it was clear and the rest was the same with more room)."""
    results = project.folder / "results"
    with _disk(results, f"size={size}k"):
        code, said = project.run(*SNAKEMAKE, "--", *TARGETS)
        lines = [*dict.fromkeys(CANNOT.findall(said))]
        clear = "Traceback" not in said and (
            code == 0 or any("No space left" in line and "free the disk" in line for line in lines)
        )
        partial = [name for name in project.files() if name.endswith(".partial")]
        _mount("-o", f"remount,size={ROOM}", str(results))
        again, _ = project.run(*SNAKEMAKE, "--", *TARGETS)
        found = project.files()
        same = not differing(found, {name: expected.get(name, "") for name in found})
        print(size, code, lines, partial, again, same, flush=True)
        held = clear and not partial and again == 0 and same and TARGETS[0] in found
    return (f"`{_short(lines[0])}`" if lines else ""), held


def _read_only(whole: Project, folder: Path) -> Row:
    project = Project(folder / "read-only")
    with _disk(project.folder / "results", f"size={ROOM},ro"):
        code, said = project.run(*SNAKEMAKE, "--", *TARGETS)
        lines = CANNOT.findall(said) or re.findall(r"[^\n]*Read-only file system[^\n]*", said)
        _mount("-o", f"remount,size={ROOM},rw", str(project.folder / "results"))
        again, _ = project.run(*SNAKEMAKE, "--", *TARGETS)
        held = code == 1 and bool(lines) and "Traceback" not in said and again == 0
    return Row("results/ read-only", 1, int(held), f"`{_short(lines[0])}`")


def _no_folder_of_snakemake(whole: Project, folder: Path) -> Row:
    project = Project(folder / "no-snakemake")
    with _disk(project.folder / ".snakemake", f"size={ROOM},ro"):
        code, said = project.run()
        lines = CANNOT.findall(said)
        held = code == 1 and len(lines) == 1 and "Traceback" not in said
    return Row(".snakemake/ read-only", 1, int(held), f"`{_short(lines[0])}`")


@contextmanager
def _disk(path: Path, options: str) -> Iterator[None]:
    path.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", options, "tmpfs", str(path))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def _mount(*options: str) -> None:
    subprocess.run(["mount", *options], check=True)


def _short(line: str) -> str:
    return re.sub(r"(?<!\w)/\S*/", "", line)
