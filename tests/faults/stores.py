"""Stores of MLflow that do not answer, are locked, or are none: one line, in little time."""

import re
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.faults.project import STUDY, Project
from tests.faults.row import Row

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
SHOW = (sys.executable, "-m", "pipeline", "mlflow", "--study", STUDY)
# The process that asks is ended by this signal if it does not end by itself.
ALARM = "import os, signal, sys; signal.alarm(60); os.execv(sys.argv[1], sys.argv[1:])"
BROKEN = {
    "no server": "http://127.0.0.1:9",
    "no such name": "http://nowhere.invalid",
    "PostgreSQL without its driver": "postgresql://user:secret@127.0.0.1/x",
    "MySQL without its driver": "mysql://user:secret@127.0.0.1/x",
    "an address that is none": "http://[::1",
    "a database without a file": "sqlite:///",
    "a database in no folder": "sqlite:////nonexistent/folder/mlflow.db",
}


def trial(whole: Project, folder: Path) -> list[Row]:
    """Every store; in the end, one that answers is shown all."""
    project = whole.copy(folder)
    before, rows = project.files(), []
    for fault, address in BROKEN.items():
        rows.append(_asked(project, fault, address))
    for fault, body in (("a silent server", None), ("a byte every two seconds", b" ")):
        with _server(body) as address:
            rows.append(_asked(project, fault, address))
    database = folder / "mlflow.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("begin exclusive")
        rows.append(_asked(project, "SQLite locked by another process", f"sqlite:///{database}"))
    code, said = project.run(*SHOW)
    held = code == 0 and "0 new" in said and project.files() == before
    return [*rows, Row("after all of these", 1, int(held), "nothing is lost and nothing twice")]


def _asked(project: Project, fault: str, address: str) -> Row:
    start = time.monotonic()
    code, said = project.run(sys.executable, "-c", ALARM, *SHOW, MLFLOW_TRACKING_URI=address)
    seconds = time.monotonic() - start
    held = code == 0 and said.count("\n") == 1 and said.startswith("mlflow: not shown")
    reason = re.sub(r"^mlflow: not shown, .*?: (?=\S* ?[^/])|; later.*", "", said.strip())
    return Row(
        f"MLflow: {fault}", 1, int(held and "secret" not in said), f"`{reason}`; {seconds:.0f} s"
    )


@contextmanager
def _server(body: bytes | None) -> Iterator[str]:
    """One that says nothing, or a byte of its answer every two seconds."""

    def serve(client: socket.socket) -> None:
        try:
            client.sendall(HEAD if body else b"")
            while True:
                time.sleep(2)
                client.sendall(body or b"")
        except OSError:
            pass

    def accept() -> None:
        try:
            while True:
                threading.Thread(target=serve, args=[server.accept()[0]], daemon=True).start()
        except OSError:
            pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
