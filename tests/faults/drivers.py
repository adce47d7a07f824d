"""The driver ended by a signal, or not alone; then the one command again."""

import os
import re
import signal
import time
from pathlib import Path

from tests.faults.project import Project, differing
from tests.faults.row import Row

ENDS = [
    ("the driver killed by -9", signal.SIGKILL, os.kill),
    ("the driver ended by TERM", signal.SIGTERM, os.kill),
    ("TERM to the driver and all its jobs", signal.SIGTERM, os.killpg),
    ("Ctrl-C: INT to the driver and all its jobs", signal.SIGINT, os.killpg),
]
OPENED = re.compile(r"opened the lock of process (\d+) of host \S+, at mini.yaml since [^;]*")


def trial(whole: Project, folder: Path) -> list[Row]:
    """Every way to end it, and two at once."""
    project, expected = whole.copy(folder), whole.files()
    rows = [_ended(project, expected, *end) for end in ENDS]
    return [*rows, _second(project, expected), _beside(project, expected)]


def _ended(project: Project, expected: dict, fault: str, number: int, send) -> Row:
    process = project.at_work()
    time.sleep(0.5)
    send(process.pid, number)
    process.communicate()
    locked = any((project.folder / ".snakemake/locks").glob("*.lock"))
    code, said = project.run()
    opened = OPENED.search(said)
    right = opened is not None and int(opened[1]) == process.pid if locked else opened is None
    held = right and code == 0 and not differing(project.files(), expected)
    told = f"`{_dated(opened[0])}`; the study goes on" if opened else "no lock was left"
    return Row(fault, 1, int(held), f"{told}; all files as if undisturbed")


def _second(project: Project, expected: dict) -> Row:
    first = project.at_work()
    code, said = project.run()
    lines = [line for line in said.splitlines() if not line.startswith("Using workflow")]
    first_said, _ = first.communicate()
    right = code == 1 and len(lines) == 1 and f"process {first.pid} " in lines[0]
    held = right and first.returncode == 0 and not differing(project.files(), expected)
    assert held or print(said, first_said) is None
    return Row("two drivers at once", 1, int(held), f"`{_dated(lines[0])}`")


def _beside(project: Project, expected: dict) -> Row:
    """The same jobs by their commands, as DVC runs them, while Snakemake is at them."""
    process = project.at_work()
    names = "--dataset digits --model lenet5 --defence standard --seed 0".split()
    ended = []
    while process.poll() is None:
        ended += [project.stage(stage, *names) for stage in ("distort", "diagnose", "measure")]
    process.communicate()
    lines = {said.splitlines()[-1] for code, said in ended if code}
    told = all("another process is at" in line for line in lines)
    code, _ = project.run()
    held = told and code == 0 and not differing(project.files(), expected)
    refused = sum(code != 0 for code, _ in ended)
    return Row(
        "jobs run by their commands, as DVC does, beside Snakemake",
        len(ended),
        len(ended) if held else 0,
        f"{refused} were refused as another process was at them; all files as if undisturbed",
    )


def _dated(text: str) -> str:
    """Without what differs from run to run."""
    text = re.sub(r"process \d+ of host \S+,", "process PID of host HOST,", text)
    return re.sub(r"since \d{4}-\d\d-\d\d [\d:]{8}", "since TIME", text).removesuffix(";")
