"""Files of another time: content decides what runs, no clock."""

import os
import random
from pathlib import Path

from tests.faults.project import STUDY, Project
from tests.faults.row import Row

YEAR = 365.25 * 86400
TIMES = {
    "of 1990": lambda _: 20 * YEAR,
    "of 2031": lambda _: 61 * YEAR,
    "of 1990 or 2031, at random": lambda draw: draw.choice([20, 61]) * YEAR,
    "of any second since 1990": lambda draw: draw.uniform(20, 61) * YEAR,
}


def trial(whole: Project, folder: Path) -> list[Row]:
    """All results at other times; then the same with one changed number."""
    project = whole.copy(folder)
    file, rows = folder / STUDY, []
    text = file.read_text("utf-8")
    other = text.replace("fgsm, norm: linf, epsilon: 0.5", "fgsm, norm: linf, epsilon: 0.4")
    assert other != text
    file.write_text(other, "utf-8")
    changed = project.planned()
    for times, draw_time in TIMES.items():
        draw = random.Random(0)
        found = []
        for content in (text, other):
            file.write_text(content, "utf-8")
            for one in [file, *map(folder.joinpath, project.files())]:
                os.utime(one, 2 * (draw_time(draw),))
            found.append(project.planned())
        held = found == [0, changed] and changed > 0
        files = len(project.files())
        said = f"{found[0]} jobs to do; {found[1]} after one changed number, as without"
        rows.append(Row(f"all files {times}", files, held and files, said))
    return rows
