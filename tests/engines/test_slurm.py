"""A study through Slurm: as on one machine, byte for byte, whatever is killed on the way."""

import re
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.checkouts import SNAKEMAKE, run, settings
from tests.engines.slurm import cluster
from tests.engines.tree import branched, results

# A cluster without GPUs and accounting, and a study of seconds.
PROFILE = ("--workflow-profile", "profiles/slurm", "--config", "gpu=0", "--latency-wait", "5")
PROFILE += ("--slurm-status-command", "squeue", "--slurm-no-account")
PROFILE += ("--slurm-init-seconds-before-status-checks=2", "--seconds-between-status-checks=2")
RUN = "results/mini/digits/lenet5/standard/0"
ATTACKED = f"{RUN}/attacks/fgsm_1.csv"


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """What Slurm's commands need to find the cluster."""
    with cluster(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment


class Driver:
    """A Snakemake in the background that submits to the cluster."""

    def __init__(self, folder, slurm, *targets):
        self.said = folder / "driver.txt"
        self.process = subprocess.Popen(
            [*SNAKEMAKE, *PROFILE, *targets], cwd=folder, env=settings(folder, **slurm),
            stdout=self.said.open("w"), stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def job(self, folder, other_than=None):
        """The process of the study's job that the cluster runs, as soon as there is one."""
        while self.process.poll() is None:
            for one in psutil.process_iter(["cmdline", "cwd"]):
                words = one.info["cmdline"] or []
                if words[1:4] == ["-m", "pipeline", "stage"] and one.info["cwd"] == str(folder):
                    if one.pid != other_than:
                        return one
            time.sleep(0.2)
        raise AssertionError(self.said.read_text())


def snakemake(folder, slurm, *options):
    return run(folder, *SNAKEMAKE, *PROFILE, *options, **slurm)


def number(job):
    """Slurm's number of the job of a process."""
    return job.environ()["SLURM_JOB_ID"]


@pytest.fixture(scope="module")
def whole(fresh, slurm):
    """A checkout of which the study was run by the cluster, and what was said."""
    folder = branched(fresh, "slurm")
    return folder, snakemake(folder, slurm)


def test_a_study_through_slurm_is_the_same_to_the_byte(finished, whole):
    folder, _ = whole
    assert results(folder) == results(finished) and len(results(folder)) > 30


def test_eight_attacks_are_one_job_of_the_cluster_and_so_is_the_end(whole):
    folder, said = whole
    cluster_jobs = {*re.findall(r"SLURM jobid (\d+)", said)}
    stages = [log.relative_to(folder / "logs/mini").parts[0] for log in logs(folder)]
    assert stages.count("attack") == 8
    # Eight attacks are one, four tables are one, and three pages are one.
    assert len(cluster_jobs) == len(stages) - 7 - 3 - 2


def logs(folder: Path):
    return sorted((folder / "logs/mini").rglob("*.txt"))


def test_the_server_of_jobs_of_one_machine_is_not_started(fresh, slurm):
    """It would run the cluster's jobs on the machine that submits."""
    folder = branched(fresh, "alone")
    driver = Driver(folder, slurm, f"{RUN}/model.safetensors")
    job = driver.job(folder)
    children = psutil.Process(driver.process.pid).children(recursive=True)
    assert "ROBUSTINFO_SERVER" not in job.environ()
    assert not [one for one in children if "pipeline.run.job_server" in one.cmdline()]
    assert job.pid not in [one.pid for one in children]  # it is the cluster's
    assert driver.process.wait(300) == 0


@pytest.fixture
def lacking(finished, request):
    """A finished checkout without one attack's table."""
    folder = branched(finished, request.node.name)
    (folder / ATTACKED).unlink()
    return folder


def test_a_killed_job_is_tried_once_more_then_named_and_the_next_run_makes_it(
    finished, lacking, slurm
):
    driver = Driver(lacking, slurm, ATTACKED)
    first = driver.job(lacking)
    subprocess.run(["scancel", number(first)], env=settings(lacking, **slurm), check=True)
    driver.job(lacking, other_than=first.pid).kill()
    assert driver.process.wait(300) == 1
    said = driver.said.read_text()
    assert "CANCELLED" in said and "Trying to restart" in said
    assert "rule attack" in said and "Traceback" not in said
    snakemake(lacking, slurm, ATTACKED)
    assert results(lacking) == results(finished)


def test_after_a_killed_driver_the_same_command_goes_on(finished, lacking, slurm):
    driver = Driver(lacking, slurm, ATTACKED)
    job = driver.job(lacking)
    driver.process.send_signal(signal.SIGKILL)
    driver.process.wait()
    psutil.wait_procs([job], timeout=120)  # the cluster's job goes on without it
    snakemake(lacking, slurm, ATTACKED)
    assert results(lacking) == results(finished)


def test_a_driver_that_is_told_to_end_takes_its_jobs_from_the_cluster(lacking, slurm):
    driver = Driver(lacking, slurm, ATTACKED)
    job = driver.job(lacking)
    driver.process.send_signal(signal.SIGINT)
    assert driver.process.wait(120) and not psutil.wait_procs([job], timeout=60)[1]


def test_a_job_beyond_its_time_is_named_and_tried_once_more(finished, lacking, slurm):
    driver = Driver(lacking, slurm, "--set-resources", "attack:runtime=attempt**3", "--", ATTACKED)
    job = driver.job(lacking)
    job.suspend()  # for ever
    assert driver.process.wait(400) == 0
    said = driver.said.read_text()
    assert "DUE TO TIME LIMIT" in said and "rule attack" in said
    assert (lacking / ATTACKED).read_bytes() == (finished / ATTACKED).read_bytes()
