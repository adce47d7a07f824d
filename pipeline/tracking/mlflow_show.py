"""Show a study's finished runs in MLflow: python -m pipeline mlflow --study params.yaml

MLflow is a view of the files in results/, and can be rebuilt at any time; repeating this adds
nothing. The store is MLFLOW_TRACKING_URI, or sqlite:///mlflow.db. A store that does not answer is
reported in a line, and never fails the study.
"""

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from pipeline.study.checked import load
from pipeline.tracking import mlflow_note, mlflow_runs, patience

STORE = "sqlite:///mlflow.db"
# Before mlflow is imported. Its own patience with a dead server is minutes.
DEFAULT_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "8",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def main(arguments: Sequence[str]) -> None:
    """Log the runs and print a line on the outcome. Raises UserError for an invalid study."""
    parser = argparse.ArgumentParser("python -m pipeline mlflow", description=__doc__.split(":")[0])
    parser.add_argument("--study", type=Path, default=Path("params.yaml"), help="the study file")
    print(show(parser.parse_args(arguments).study, os.environ.get("MLFLOW_TRACKING_URI") or STORE))


def show(file: Path, uri: str) -> str:
    """Log the study's finished runs; a line on the outcome. Raises UserError: invalid study."""
    study = load(file)
    runs, incomplete = mlflow_runs.runs(study)
    for name, value in DEFAULT_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from pipeline.tracking.mlflow_client import UNREACHABLE, log_runs

    store = _without_passwords(uri)

    def not_shown(reason: str) -> str:  # a path may have braces
        return (
            f"mlflow: not shown, {store}: {reason}; later: python -m pipeline mlflow --study {file}"
        )

    seconds = patience.of(uri)
    silence = not_shown(f"no answer in {seconds:.0f} s")
    try:
        with _lock(uri), patience.Patience(silence, seconds) as waiting:
            new, experiment = log_runs(uri, file, study, runs, waiting)
    except ModuleNotFoundError as error:
        return not_shown(f"{error}; install it beside mlflow")
    except UNREACHABLE as error:
        return not_shown(_reason(error))
    unfinished = f", {incomplete} not finished" if incomplete else ""
    page = mlflow_note.address(experiment)
    look = f"{store.rstrip('/')}/{page}"
    if not store.startswith("http"):
        look = f"mlflow ui --backend-store-uri {store}, then http://127.0.0.1:5000/{page}"
    return f"mlflow: {new} new, {len(runs) - new} already there{unfinished} ({store}); look: {look}"


def _without_passwords(text: str) -> str:
    """The text without passwords in addresses."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def _reason(error: BaseException) -> str:
    """Text of the innermost error: ``[Errno 111] Connection refused``."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return _without_passwords(str(error).partition("\n")[0])


def _lock(uri: str) -> FileLock:
    """Lock of the store: several writers would break a new database."""
    database = uri.removeprefix("sqlite:///")
    if database == uri:
        lock = Path(".snakemake/mlflow.lock")
        lock.parent.mkdir(exist_ok=True)
        return FileLock(lock, timeout=60)
    if not database or not Path(database).parent.is_dir():
        raise ValueError(f"no such folder: {Path(database).parent}" if database else "no file")
    return FileLock(f"{database}.lock", timeout=60)
