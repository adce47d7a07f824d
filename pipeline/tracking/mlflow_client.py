"""Runs of a study into MLflow: one flat run each, found again by its key. No other file has mlflow.

A run whose key is already logged is not changed; if its results changed, a new run is logged, and
the old one gets the tag ``superseded: yes``. Verdict and figures, which depend on other runs, too,
are updated in place. A run that a killed process left unfinished is deleted.
"""

import hashlib
import json
import logging
import subprocess
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.entities import Run as LoggedRun
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from pipeline.results import rows, sealed_text
from pipeline.run.contract import template
from pipeline.tracking import mlflow_runs
from pipeline.tracking.patience import Patience

# Errors of a store, of an address that is none, and of a database whose driver is not installed.
UNREACHABLE = (MlflowException, SQLAlchemyError, OSError, ValueError, ImportError)
MOST_METRICS, MOST_PARAMS = 1000, 100  # of one request

for name in ("mlflow", "alembic"):
    logging.getLogger(name).setLevel(logging.ERROR)


def log_runs(
    uri: str, file: Path, study: dict[str, Any], runs: list[mlflow_runs.Run], patience: Patience
) -> tuple[int, str]:
    """Log the runs. Returns the number of new ones and the experiment's id. Raises UNREACHABLE."""
    client: Any = patience.watched(MlflowClient(uri))
    experiment = _experiment(client, study["name"], uri)
    commit = _git("rev-parse", "--verify", "--quiet", "HEAD")
    source = {"mlflow.source.git.commit": commit} if commit else {}
    source |= {"mlflow.source.name": str(file), "mlflow.source.type": "LOCAL"}
    source |= {"study": study["name"], "dirty": "yes" if _git("status", "--porcelain") else "no"}
    verdicts = _verdicts(study["name"])
    pictures = [
        Path(template("picture").format(study=study["name"], target=t)) for t in study["figures"]
    ]
    pictures = [picture for picture in pictures if picture.is_file()]
    figures_sha256 = hashlib.sha256(
        b"".join(picture.read_bytes() for picture in pictures)
    ).hexdigest()
    new = 0
    for run in runs:
        shown = _find(client, experiment, run)
        if shown is None:
            shown = _log(client, experiment, run, source, file)
            new += 1
        tags = {
            "superseded": "no",
            "figures": figures_sha256,
            "verdict": verdicts.get(run.defence, "-"),
        }
        if shown.data.tags.get("figures") != figures_sha256:
            for picture in pictures:
                client.log_artifact(shown.info.run_id, str(picture), "figures")
        _tag(client, shown, tags)
    return new, experiment


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


def _find(client: MlflowClient, experiment: str, run: mlflow_runs.Run) -> LoggedRun | None:
    """The logged run with this key, if any; marks earlier versions and deletes unfinished runs."""
    current = None
    for shown in client.search_runs([experiment], f"attributes.run_name = '{run.name}'"):
        if "key" not in shown.data.tags:
            continue  # not logged by this program
        if shown.info.status != "FINISHED":
            client.delete_run(shown.info.run_id)
        elif shown.data.tags["key"] == run.key:
            current = shown
        else:
            _tag(client, shown, {"superseded": "yes"})
    return current


def _log(
    client: MlflowClient, experiment: str, run: mlflow_runs.Run, source: dict[str, str], file: Path
) -> LoggedRun:
    params = [Param(name, value) for name, value in run.params.items()]
    # When the run ended, not when it was logged.
    finished_at = int(1000 * max(path.stat().st_mtime for path in run.files))
    metrics = [
        Metric(name, value, finished_at, step) for name, value, step in mlflow_runs.metrics(run)
    ]
    metrics.sort(key=lambda point: mlflow_runs.place(point.key))
    tags = source | {"key": run.key, "checkpoint_sha256": run.checkpoint_sha256}
    shown = client.create_run(experiment, finished_at, tags, run.name)
    key = shown.info.run_id
    for start in range(0, len(params), MOST_PARAMS):
        client.log_batch(key, params=params[start : start + MOST_PARAMS])
    for start in range(0, len(metrics), MOST_METRICS):
        client.log_batch(key, metrics=metrics[start : start + MOST_METRICS])
    client.log_inputs(
        key, _datasets(Path(template("data").format(study=source["study"], **run.names)))
    )
    client.log_artifact(key, str(file))
    client.set_terminated(key, end_time=finished_at)
    return client.get_run(key)


def _datasets(manifest: Path) -> list[DatasetInput]:
    """The splits of the run's data set, by the digest of their images."""
    content = sealed_text.read_json(manifest)
    return [
        DatasetInput(
            Dataset(
                name=content["name"],
                digest=split["sha256"][:8],
                source_type="local",
                source=json.dumps({"uri": content["source"]}),
                profile=json.dumps({"num_rows": _count(split), "shape": split["shape"]}),
            ),
            [InputTag("mlflow.data.context", split_name)],
        )
        for split_name, split in content["splits"].items()
    ]


def _count(split: dict[str, Any]) -> int:
    return split["images" if "images" in split else "texts"]


def _verdicts(study: str) -> dict[str, str]:
    """{digits/lenet5/entropic: ``linf: broken, l2: broken``}, which all seeds share."""
    file = Path(template("verdict").format(study=study))
    if not file.is_file():
        return {}
    by_defence: dict[str, list[str]] = {}
    for line in rows.read(file).to_dict("records"):
        name = "/".join(line[name] for name in ("dataset", "model", "defence"))
        by_defence.setdefault(name, []).append(f"{line['norm']}: {line['verdict']}")
    return {name: ", ".join(verdicts) for name, verdicts in by_defence.items()}


def _tag(client: MlflowClient, shown: LoggedRun, tags: dict[str, str]) -> None:
    changed = [RunTag(*tag) for tag in tags.items() if tag not in shown.data.tags.items()]
    if changed:
        client.log_batch(shown.info.run_id, tags=changed)


def _git(*command: str) -> str:
    """Output of git; empty without git, or before the first commit."""
    try:
        return subprocess.run(["git", *command], capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""
