"""Runs of a study into MLflow: one flat run each, found again by its key, and one of the study.

A run whose key is already logged is not changed; if its results changed, a new run is logged, and
the old one gets the tag ``superseded: yes``. What depends on other runs, too, its verdict and its
checks, is updated in place, where it changed. A run that a killed process left unfinished is
deleted. Only the files mlflow_client, mlflow_log and mlflow_page import mlflow.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run as LoggedRun
from mlflow.entities import RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from pipeline.results import rows
from pipeline.run.contract import template
from pipeline.tracking import mlflow_log, mlflow_page, mlflow_runs, mlflow_source
from pipeline.tracking.patience import Patience

# Errors of a store, of an address that is none, and of a database whose driver is not installed.
UNREACHABLE = (MlflowException, SQLAlchemyError, OSError, ValueError, ImportError)
PAGE = 1000  # runs of one answer

for name in ("mlflow", "alembic"):
    logging.getLogger(name).setLevel(logging.ERROR)


def log_runs(
    uri: str, file: Path, study: dict[str, Any], runs: list[mlflow_runs.Run], patience: Patience
) -> tuple[int, str]:
    """Log the runs. Returns the number of new ones and the experiment's id. Raises UNREACHABLE."""
    client: Any = patience.watched(patience.call(MlflowClient, uri))
    experiment = _experiment(client, study["name"], uri)
    logged = _logged(client, experiment)
    source = mlflow_source.tags(file, study["name"])
    page = mlflow_page.Page(client, experiment, study["name"], source)
    page.open(logged.pop(page.run_name, []), runs)
    verdicts, checks = _by_defence(study["name"], "verdict"), _by_defence(study["name"], "checks")
    new = 0
    for run in runs:
        shown = _current(client, logged.get(run.name, []), run)
        if shown is None:
            shown = mlflow_log.log(client, experiment, run, source, file, study)
            new += 1
        lines = verdicts.get(run.defence, [])
        verdict = ", ".join(f"{line['norm']}: {line['verdict']}" for line in lines) or "-"
        tags = {"superseded": "no", "verdict": verdict}
        tags |= {mlflow_page.NOTE: page.note_of_run(run, lines)}
        tags |= mlflow_log.checks(client, shown, checks.get(run.defence, []))
        tag(client, shown, tags)
    page.write()
    return new, experiment


def tag(client: MlflowClient, shown: LoggedRun, tags: dict[str, str]) -> None:
    """Set the tags that differ."""
    changed = [RunTag(*one) for one in tags.items() if one not in shown.data.tags.items()]
    if changed:
        client.log_batch(shown.info.run_id, tags=changed)


def _experiment(client: MlflowClient, name: str, uri: str) -> str:
    """Id of the study's experiment; artifacts of an SQLite store are beside its file."""
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        artifacts = Path(uri.removeprefix("sqlite:///")).absolute().parent / "mlartifacts" / name
        location = str(artifacts) if uri.startswith("sqlite") else None
        return client.create_experiment(name, location)
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    return experiment.experiment_id


def _logged(client: MlflowClient, experiment: str) -> dict[str, list[LoggedRun]]:
    """Runs that this program logged, by name; deletes unfinished ones, and what they left."""
    by_name: dict[str, list[LoggedRun]] = defaultdict(list)
    for shown in _all_runs(client, experiment):
        if "key" not in shown.data.tags:
            continue
        if shown.info.status == "FINISHED":
            by_name[shown.info.run_name].append(shown)
        else:
            mlflow_log.delete(client, shown)
    return by_name


def _all_runs(client: MlflowClient, experiment: str) -> Iterator[LoggedRun]:
    token = None
    while True:
        found = client.search_runs([experiment], max_results=PAGE, page_token=token)
        yield from found
        if not (token := found.token):
            return


def _current(
    client: MlflowClient, logged: list[LoggedRun], run: mlflow_runs.Run
) -> LoggedRun | None:
    """The logged run with this key, if any; marks earlier versions."""
    current = None
    for shown in logged:
        if shown.data.tags["key"] == run.key:
            current = shown
        else:
            tag(client, shown, {"superseded": "yes"})
    return current


def _by_defence(study: str, artifact: str) -> dict[str, list[dict]]:
    """{digits/lenet5/entropic: lines of the study's table}, which all seeds share."""
    file = Path(template(artifact).format(study=study))
    if not file.is_file():
        return {}
    lines: dict[str, list[dict]] = defaultdict(list)
    for line in rows.read(file).to_dict("records"):
        lines["/".join(line[name] for name in ("dataset", "model", "defence"))].append(line)
    return lines
