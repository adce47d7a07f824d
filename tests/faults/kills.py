"""kill -9 of jobs at random file events of all stages, and the one command again."""

import re
from collections import Counter
from pathlib import Path

from tests.faults.project import ROOT, Project, differing
from tests.faults.row import Row

MOST, EVERY, SEED = 100, 12, 0
RUNS = 60  # of the one command, at most


def trial(whole: Project, folder: Path, most: int = MOST) -> list[Row]:
    """Run until nothing is left to do; the kills end by themselves after ``most``."""
    project, expected = Project(folder), whole.files()
    kills = project.folder / "kills"
    kills.mkdir()
    environment = {
        "PYTHONPATH": f"{ROOT / 'tests/faults/hook'}:{project.environment['PYTHONPATH']}",
        "KILLS": str(kills),
        "KILL_MOST": str(most),
        "KILL_EVERY": str(EVERY),
        "KILL_SEED": str(SEED),
    }
    stages: Counter[str] = Counter()
    runs, code, done = 0, 1, 0
    while runs < RUNS and (code or done < most):
        if not code:  # the study is finished before all kills: once more from its beginning
            assert not differing(project.files(), expected)
            for file in project.files():
                (project.folder / file).unlink()
        code, said = project.run(**environment)
        runs += 1
        stages.update(re.findall(r"Error in rule (\w+)", said))
        done = len(_lines(kills / "killed"))
        print(f"kills: {done} of {most} after {runs} runs, exit code {code}", flush=True)
    wrong = differing(project.files(), expected)
    said = f"{len(stages)} stages, {runs} runs of the one command, {len(expected)} files compared"
    return [
        Row("a job killed by -9 at a file event", done, done if not (wrong or code) else 0, said)
    ]


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines() if file.exists() else []
