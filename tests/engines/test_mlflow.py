"""An MLflow server on PostgreSQL: every run once, however many write; and a server that is away."""

import subprocess
import sys

import pytest
from mlflow import MlflowClient

from tests.checkouts import SNAKEMAKE, run, settings
from tests.engines.mlflow_server import mlflow_server, postgresql
from tests.engines.servers import free_port, needed
from tests.engines.tree import branched
from tests.screens import browse

SHOW = (sys.executable, "-m", "pipeline", "mlflow")
WRITERS = 4


@pytest.fixture(scope="module")
def database():
    with postgresql() as address:
        yield address


@pytest.fixture(scope="module")
def shown(finished, database, tmp_path_factory):
    """A study that met no server, then four projections at once: the server, and what was said."""
    folder = branched(finished, "mlflow")
    port = free_port()
    uri = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}"}
    (folder / "results/mini/report.html").unlink()
    said = [run(folder, *SNAKEMAKE, "--cores", "1", **uri)]
    with mlflow_server(database, port, tmp_path_factory.mktemp("artifacts")) as address:
        writers = [
            subprocess.Popen(
                SHOW, cwd=folder, env=settings(folder, **uri), stdout=subprocess.PIPE, text=True
            )
            for _ in range(WRITERS)
        ]
        said += [writer.communicate()[0] for writer in writers]
        assert not any(writer.returncode for writer in writers)
        yield address, said


def logged(address):
    """The client, the experiment, and the runs of the study's networks."""
    client = MlflowClient(address)
    experiment = client.get_experiment_by_name("mini").experiment_id
    return client, experiment, client.search_runs([experiment], "tags.kind = 'network'")


def test_a_server_that_is_away_costs_a_line_and_is_caught_up_with(shown):
    _, (away, *later) = shown
    assert "mlflow: not shown" in away and "later: python -m pipeline mlflow" in away
    assert sorted(line.split("mlflow: ")[1][:5] for line in later) == ["0 new"] * 3 + ["2 new"]


def test_four_projections_at_once_leave_every_run_once_and_no_metric_twice(shown):
    client, _, runs = logged(shown[0])
    assert len(runs) == 2 == len({run.data.tags["key"] for run in runs})
    for one in runs:
        assert one.info.status == "FINISHED" and len(one.data.metrics) > 10
        for name in one.data.metrics:
            steps = [point.step for point in client.get_metric_history(one.info.run_id, name)]
            assert len(steps) == len({*steps}), name


def test_the_pages_of_the_experiment_and_of_a_comparison_name_the_runs(shown):
    _, experiment, runs = logged(shown[0])
    keys = ",".join(f'"{one.info.run_id}"' for one in runs)
    pages = (
        f"experiments/{experiment}/runs?workflowType=machine_learning",
        f'compare-runs?runs=[{keys}]&experiments=["{experiment}"]',
    )
    needed("chromium")
    for page in pages:
        wait = "--virtual-time-budget=100000"  # milliseconds of the page's own clock
        shown_page = browse(f"{shown[0]}/#/{page}", "--dump-dom", wait)
        assert all(one.info.run_name in shown_page for one in runs), page
