"""The study's own run in MLflow, with report, gallery, checks and figures; the experiment's page.

Every network's note links to the study's run. It is found again by its name, and updated in place.
"""

import hashlib
import tempfile
import time
from pathlib import Path
from shutil import copy

from mlflow import MlflowClient
from mlflow.entities import Run as LoggedRun

from pipeline.run.contract import template
from pipeline.tracking import mlflow_note
from pipeline.tracking.mlflow_runs import Run

NOTE = "mlflow.note.content"
KEY = "study"  # of the study's run, in place of a key of results
# Artifacts of the study, and the folder where each stands.
SHOWN = {
    "report": "",
    "leaderboard": "",
    "leaderboard_json": "",
    "checks": "",
    "claims": "",
    "gallery_picture": "gallery",
    "picture": "figures",
}


class Page:
    """The study's run, and the experiment's note and view."""

    def __init__(  # noqa: D107
        self, client: MlflowClient, experiment: str, study: str, source: dict[str, str]
    ) -> None:
        self.client, self.experiment, self.study, self.source = client, experiment, study, source
        self.run_name = study
        self.run_id = ""

    def open(self, logged: list[LoggedRun], runs: list[Run]) -> None:
        """Find the study's run or make it. logged: runs of its name. runs: of its networks."""
        if logged:
            shown = logged[0]
        else:
            spans = [run.times for run in runs if run.times]
            start = min((one.start for one in spans), default=time.time())
            end = max((one.end for one in spans), default=time.time())
            tags = self.source | {"kind": "study", "key": KEY}
            shown = self.client.create_run(self.experiment, round(1000 * start), tags, self.study)
            self.client.set_terminated(shown.info.run_id, end_time=round(1000 * end))
        self.run_id, self.content = shown.info.run_id, shown.data.tags.get("content", "")

    def note_of_run(self, run: Run, lines: list[dict]) -> str:
        """What the page of a network says first. lines: of verdict.csv, of its defence."""
        return mlflow_note.of_run(run.names, lines, self.experiment, self.run_id)

    def write(self) -> None:
        """Log the study's files if one changed, and the experiment's note and view."""
        files = [*self._files()]
        parts = [f"{folder}/{file.name}".encode() + file.read_bytes() for folder, file in files]
        content = hashlib.sha256(b"".join(parts)).hexdigest()
        board = mlflow_note.leaderboard(self.study)
        note = mlflow_note.of_study(self.study, board, self.experiment, self.run_id)
        if content != self.content:
            self._log(files)
            self.client.set_tag(self.run_id, NOTE, note)
            self.client.set_tag(self.run_id, "content", content)
        tags = {NOTE: note, mlflow_note.VIEW_TAG: mlflow_note.view(board)}
        there = self.client.get_experiment(self.experiment).tags
        for name, text in tags.items():
            if there.get(name) != text:
                self.client.set_experiment_tag(self.experiment, name, text)

    def _files(self) -> list[tuple[str, Path]]:
        """(folder, file) of what is there; a pattern stands for every name in a path."""
        found = []
        for artifact, folder in SHOWN.items():
            path = template(artifact).replace("{study}", self.study)
            root, *names = path.split("{")
            pattern = "".join(["*" + name.partition("}")[2] for name in names])
            base = Path(root) if names else Path(root).parent
            files = sorted(base.glob(pattern or Path(root).name))
            found += [(folder, file) for file in files if file.stat().st_size]
        return found

    def _log(self, files: list[tuple[str, Path]]) -> None:
        with tempfile.TemporaryDirectory() as name:
            for folder, file in files:
                place = Path(name, folder, *file.parts[3:-1] if folder == "gallery" else ())
                place.mkdir(parents=True, exist_ok=True)
                copy(file, place)
            self.client.log_artifacts(self.run_id, name)
