"""Results through an S3 server: pushed from one clone, pulled and adopted in another."""

import re
import subprocess
import sys

import pytest

from tests.checkouts import DVC, SNAKEMAKE, run
from tests.engines.servers import free_port, needed, stopped, wait_for_port
from tests.engines.tree import branched, results

ACCOUNT = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
KEYS = {name.upper(): value for name, value in ACCOUNT.items()}


@pytest.fixture
def s3():
    """Address of an S3 server with a bucket `bucket`."""
    needed(modules=["boto3", "dvc_s3", "moto"])
    import boto3

    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, server)
        client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **ACCOUNT)
        client.create_bucket(Bucket="bucket")
        yield address
    finally:
        stopped(server)


def test_a_second_clone_pulls_adopts_and_has_nothing_to_do(finished, s3):
    first = branched(finished, "first")
    second = first.with_name("second")
    run(first, "dvc", "remote", "add", "--default", "store", "s3://bucket/folder")
    run(first, "dvc", "remote", "modify", "store", "endpointurl", s3)
    run(first, "dvc", "push", **KEYS)
    run(first, "git", "add", "--all")
    run(first, "git", "commit", "--quiet", "--message", "results, and where they are")
    run(first, "git", "clone", "--quiet", str(first), str(second))
    assert not (second / "results/mini/report.html").exists()
    run(second, "dvc", "pull", **KEYS)
    said = run(second, *DVC, "adopt")
    assert re.search(r"adopted (\d+) of \1 jobs", said)
    assert results(second) == results(finished)
    assert "Nothing to be done" in run(second, *SNAKEMAKE, "--dry-run")
