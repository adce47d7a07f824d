"""MLflow's server on a PostgreSQL database, each in a process of its own."""

import getpass
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.engines.servers import free_port, needed, stopped, wait_for_port

QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@contextmanager
def postgresql() -> Iterator[str]:
    """Address of an empty database."""
    paths = needed("initdb", "postgres", modules=["psycopg2"])
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    user = getpass.getuser()
    if user == "root":  # whom it refuses
        user = "postgres"
        shutil.chown(folder, user)
    as_user = {"cwd": folder, "user": user if user == "postgres" else None} | QUIET
    options = ["--username=mlflow", "--auth=trust", "--no-sync"]
    subprocess.run([paths["initdb"], f"--pgdata={folder}/data", *options], check=True, **as_user)
    port = free_port()
    options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]
    server = subprocess.Popen([paths["postgres"], "-D", f"{folder}/data", *options], **as_user)
    try:
        wait_for_port(port, server)
        yield f"postgresql://mlflow@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)  # it does not wait for its clients
        stopped(server)
        shutil.rmtree(folder)


@contextmanager
def mlflow_server(store: str, port: int, folder: Path) -> Iterator[str]:
    """Address of a server of this database, on this port; artifacts lie in the folder."""
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store]
    command += ["--artifacts-destination", str(folder), "--workers", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, **QUIET)
    try:
        wait_for_port(port, server, seconds=120)
        yield f"http://127.0.0.1:{port}"
    finally:
        stopped(server)
