"""Show a study's finished runs in MLflow: python -m pipeline mlflow --study params.yaml

MLflow is a view, rebuilt from the files in results/ at any time; repeating this adds nothing. The
store is MLFLOW_TRACKING_URI, or sqlite:///mlflow.db. One that does not answer costs a line, never
the study.
"""

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from pipeline.study.checked import load
from pipeline.tracking import mlflow_runs

STORE = "sqlite:///mlflow.db"
# Before mlflow is imported. Its own patience with a dead server is minutes.
MANNERS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def main(words: Sequence[str]) -> None:
    """Show the runs; one line says what became of it. Raises UserError for a broken study."""
    parser = argparse.ArgumentParser("python -m pipeline mlflow", description=__doc__.split(":")[0])
    parser.add_argument("--study", type=Path, default=Path("params.yaml"), help="the study file")
    print(show(parser.parse_args(words).study, os.environ.get("MLFLOW_TRACKING_URI") or STORE))


def show(file: Path, uri: str) -> str:
    """Bring the store up to date with the study's results. Raises UserError for a broken study."""
    study = load(file)
    runs, incomplete = mlflow_runs.runs(study)
    for name, value in MANNERS.items():
        os.environ.setdefault(name, value)
    from pipeline.tracking.mlflow_client import UNREACHABLE, project

    place = _public(uri)
    try:
        with _alone(uri):
            new, experiment = project(uri, file, study, runs)
    except UNREACHABLE as error:
        later = f"python -m pipeline mlflow --study {file}"
        return f"mlflow: not shown, {place}: {_reason(error)}; later: {later}"
    waiting = f", {incomplete} not finished" if incomplete else ""
    # Its list of experiments leads to an empty page about prompts and traces.
    page = f"#/experiments/{experiment}/runs?workflowType=machine_learning"
    look = f"{place.rstrip('/')}/{page}"
    if not place.startswith("http"):
        look = f"mlflow ui --backend-store-uri {place}, then http://127.0.0.1:5000/{page}"
    return f"mlflow: {new} new, {len(runs) - new} already there{waiting} ({place}); look: {look}"


def _public(text: str) -> str:
    """The text without the passwords of addresses in it."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def _reason(error: BaseException) -> str:
    """The first error under those that wrap it: ``[Errno 111] Connection refused``."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return _public(str(error).partition("\n")[0])


def _alone(uri: str) -> FileLock:
    """One writer at a time: a fresh database dies of several, and none may see another's half."""
    database = uri.removeprefix("sqlite:///")
    lock = Path(".snakemake/mlflow.lock" if database == uri else f"{database}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(lock, timeout=60)
