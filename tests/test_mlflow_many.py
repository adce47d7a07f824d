"""Many runs in a store, and many projections at once: only what is new is logged, each run once."""

import multiprocessing
import sqlite3
from pathlib import Path

import pytest
from mlflow import MlflowClient

from pipeline.study.checked import load
from pipeline.tracking import mlflow_client, mlflow_log, mlflow_note, mlflow_runs
from pipeline.tracking.mlflow_show import show
from pipeline.tracking.patience import Patience
from tests.mlflow_study import store, study

__all__ = ["study"]  # fixture
LOGGED, NEW, AT_ONCE = 2000, 3, 8
WRITES = (
    "create_run", "log_batch", "log_inputs", "log_artifact", "log_artifacts", "log_text", "set_tag",
    "set_terminated", "delete_run",
)  # fmt: skip
NOTHING = mlflow_log.digest_of("")
PATIENCE = Patience("no answer", seconds=600)


def test_with_thousands_of_runs_in_the_store_only_new_ones_are_touched(study, monkeypatch):
    content = load(study)
    (run, *_), _ = mlflow_runs.runs(content)
    runs = [
        run._replace(names=run.names | {"seed": str(seed)}, key=f"key {seed}")
        for seed in range(LOGGED + NEW)
    ]
    mlflow_client.log_runs(store(), study, content, [], PATIENCE)
    insert(runs[:LOGGED])
    touched = []
    for name in WRITES:
        method = getattr(MlflowClient, name)

        def counted(self, first, *rest, name=name, method=method, **more):
            answer = method(self, first, *rest, **more)
            touched.append(answer.info.run_id if name == "create_run" else first)
            return answer

        monkeypatch.setattr(MlflowClient, name, counted)
    assert mlflow_client.log_runs(store(), study, content, runs, PATIENCE)[0] == NEW
    found = MlflowClient(store()).search_runs(["1"], max_results=5000)
    by_id = {run.info.run_id: run.info.run_name for run in found}
    assert {by_id[run_id] for run_id in touched} == {run.name for run in runs[LOGGED:]}
    assert len(found) == 1 + LOGGED + NEW
    touched.clear()
    assert mlflow_client.log_runs(store(), study, content, runs, PATIENCE)[0] == 0 and touched == []


def insert(runs):
    """Rows of finished runs, as projections leave them, written into the database itself."""
    (of_study,) = MlflowClient(store()).search_runs(["1"])
    with sqlite3.connect("mlflow.db") as connection:
        for number, run in enumerate(runs):
            key = f"{number:032d}"
            connection.execute(
                "insert into runs (run_uuid, name, user_id, status, start_time, end_time, "
                "lifecycle_stage, artifact_uri, experiment_id) "
                "values (?, ?, '', 'FINISHED', 1, 2, 'active', '', 1)",
                (key, run.name),
            )
            note = mlflow_note.of_run(run.names, [], "1", of_study.info.run_id)
            tags = {"key": run.key, "superseded": "no", "verdict": "-", "checks": NOTHING}
            tags |= {"mlflow.note.content": note}
            connection.executemany(
                "insert into tags (key, value, run_uuid) values (?, ?, ?)",
                [(name, value, key) for name, value in tags.items()],
            )


@pytest.mark.parametrize("kind", ["sqlite", "files"])
def test_projections_at_once_log_every_run_once(study, monkeypatch, kind):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # which MLflow advises against
    uri = store() if kind == "sqlite" else f"file://{Path('mlruns').absolute()}"
    if kind == "sqlite":
        Path("mlflow.db").unlink()
    fork = multiprocessing.get_context("fork")
    with fork.Pool(AT_ONCE) as pool:
        said = pool.starmap(show, [(study, uri)] * AT_ONCE)
    assert sum(line.startswith("mlflow: 2 new, 0 already there") for line in said) == 1
    assert sum(line.startswith("mlflow: 0 new, 2 already there") for line in said) == AT_ONCE - 1
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("tiny").experiment_id
    found = client.search_runs([experiment])
    assert sorted(run.info.run_name for run in found) == [
        "digits/lenet5/adversarial/0", "digits/lenet5/standard/0", "tiny"
    ]  # fmt: skip
    assert {run.info.status for run in found} == {"FINISHED"}
    assert len(client.search_model_versions()) == 2
