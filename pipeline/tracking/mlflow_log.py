"""One run in MLflow: parameters, metrics, data set, artifacts, and its checkpoint as a model."""

import hashlib
import json
import tempfile
import time
from pathlib import Path
from shutil import copy
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
from mlflow.entities import Run as LoggedRun
from mlflow.exceptions import MlflowException
from mlflow.tracking.registry import UnsupportedModelRegistryStoreURIException

from pipeline.results import rows, sealed_text
from pipeline.run.contract import template
from pipeline.tracking import mlflow_figures, mlflow_metrics, mlflow_runs

MOST_METRICS, MOST_PARAMS = 1000, 100  # of one request
CHECKPOINT = "checkpoint"  # folder of artifacts
CHECKS = "checks"  # tag and artifact
WITHOUT_MODELS = {"ENDPOINT_NOT_FOUND", "FEATURE_DISABLED", "NOT_IMPLEMENTED"}  # of a server


def log(
    client: MlflowClient,
    experiment: str,
    run: mlflow_runs.Run,
    source: dict[str, str],
    file: Path,
    study: dict[str, Any],
) -> LoggedRun:
    """Log a finished run. It starts and ends when its jobs did; if unknown, now, and a tag says so.

    file: the study's.
    """
    measured = mlflow_metrics.table(run.files)
    start, end = (round(1000 * second) for second in run.times or 2 * [time.time()])
    tags = source | {"kind": "network", "key": run.key, "checkpoint_sha256": run.checkpoint_sha256}
    tags["compute_seconds"] = "unknown" if run.seconds is None else f"{run.seconds:.1f}"
    shown = client.create_run(experiment, start, tags, run.name)
    key = shown.info.run_id
    params = [Param(name, value) for name, value in run.own_params.items()]
    for first in range(0, len(params), MOST_PARAMS):
        client.log_batch(key, params=params[first : first + MOST_PARAMS])
    points = mlflow_metrics.select(mlflow_metrics.points(measured, run.swept))
    metrics = [Metric(point.name, point.value, end, point.step) for point in points]
    for first in range(0, len(metrics), MOST_METRICS):
        client.log_batch(key, metrics=metrics[first : first + MOST_METRICS])
    client.log_inputs(
        key, _datasets(Path(template("data").format(study=study["name"], **run.names)))
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy(file, folder)
        (folder / "parameters.json").write_text(json.dumps(run.params, indent=1) + "\n")
        (folder / "measurements.csv").write_text(rows.as_csv(measured))
        mlflow_figures.draw(study, run, measured, folder / "figures")
        client.log_artifacts(key, name)
    client.set_tag(key, "model_version", _register(client, shown, run, study["name"]))
    client.set_terminated(key, end_time=end)
    return client.get_run(key)


def checks(client: MlflowClient, shown: LoggedRun, lines: list[dict]) -> dict[str, str]:
    """Log the checks behind the verdict, if they are others than before; the tag of what is there.

    lines: of checks.csv, of the run's defence.
    """
    text = rows.as_csv(pd.DataFrame(lines)) if lines else ""
    digest = digest_of(text)
    if text and shown.data.tags.get(CHECKS) != digest:
        client.log_text(shown.info.run_id, text, f"{CHECKS}.csv")
    return {CHECKS: digest}


def digest_of(text: str) -> str:
    """Sha256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def delete(client: MlflowClient, shown: LoggedRun) -> None:
    """Delete a run that was not finished, with its model's version."""
    try:
        for version in client.search_model_versions(f"run_id = '{shown.info.run_id}'"):
            client.delete_model_version(version.name, version.version)
    except MlflowException as error:
        if not _has_no_models(error):
            raise
    client.delete_run(shown.info.run_id)


def _register(client: MlflowClient, shown: LoggedRun, run: mlflow_runs.Run, study: str) -> str:
    """Make the checkpoint a version of the defence's model: ``name/1``, or why there is none."""
    client.log_artifact(shown.info.run_id, str(run.files[0]), CHECKPOINT)
    name = ".".join([study, *run.defence.split("/")])
    tags = {"sha256": run.checkpoint_sha256, "seed": run.names["seed"]}
    try:
        if not client.search_registered_models(f"name = '{name}'"):
            client.create_registered_model(name)
        source = f"{shown.info.artifact_uri}/{CHECKPOINT}"
        version = client.create_model_version(
            name, source, shown.info.run_id, tags, await_creation_for=0
        )
    except MlflowException as error:
        if _has_no_models(error):
            return "none: this store registers no models"
        raise
    return f"{name}/{version.version}"


def _has_no_models(error: MlflowException) -> bool:
    unsupported = isinstance(error, UnsupportedModelRegistryStoreURIException)
    return unsupported or error.error_code in WITHOUT_MODELS


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
