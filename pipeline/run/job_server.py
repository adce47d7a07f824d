"""A server of jobs on one machine: it imports torch once, and forks a process for every job.

    python -m pipeline.run.job_server SOCKET      started by the driver (driver.py), ends with it

``import torch``, pandas and foolbox take seconds of every job; a fork has them. It computes nothing
itself and never touches a GPU: a process forked after CUDA began cannot use it. A second fork
supervises each job: it tells the client how the job ended, passes signals on, and kills the job if
the client is gone. Standard input closes when the driver ends, however it ends.
"""

import json
import os
import shutil
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from select import select
from typing import Any, NoReturn

from pipeline.run.job_client import MESSAGE, SERVER

# Slow imports of jobs; none of them touches CUDA or starts threads.
PRELOADED = ("torch", "pandas", "foolbox", "scipy.stats", "matplotlib.figure", "pipeline.run.start")
MAX_WAITING = 512  # clients that connect during the imports


def main() -> None:
    """Serve jobs until the driver ends."""
    path = sys.argv[1]
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(MAX_WAITING)
    for name in PRELOADED:
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors need no waiting for
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver handles Ctrl-C
    # No thread waits for either: a fork of several threads has one of them, and all their locks.
    while select([server, sys.stdin], [], [])[0] == [server]:
        client, _ = server.accept()
        if not os.fork():
            server.close()
            _supervise(client)
        client.close()
    shutil.rmtree(Path(path).parent)


def _supervise(client: socket.socket) -> NoReturn:
    """Fork the job, pass signals on until it ends, and tell the client how it ended."""
    size, files, *_ = socket.recv_fds(client, MESSAGE, 3)
    content = client.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
    job = json.loads(content.decode(errors="surrogateescape"))
    child_exit, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # only wakes select
    child = os.fork()
    if not child:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in (client.fileno(), child_exit, wake):
            os.close(descriptor)
        _run(job, files)
    watched: list[Any] = [client, child_exit]
    # What reaps the job also sends it signals: never to a number that is another's by now.
    while True:
        ready = select(watched, [], [])[0]
        if child_exit in ready and os.read(child_exit, 1):
            reaped, status = os.waitpid(child, os.WNOHANG)
            if reaped:
                with suppress(OSError):  # the client may be gone
                    client.sendall(status.to_bytes(MESSAGE, "big"))
                os._exit(0)
        elif client in ready:
            number = client.recv(1)
            os.kill(child, number[0] if number else signal.SIGKILL)
            if not number:
                watched.remove(client)


def _run(job: dict, files: list[int]) -> NoReturn:
    """Run the job with the client's folder, environment and open files, and exit."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0, closefd=False)
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    os.environ.pop(SERVER, None)
    from pipeline.run.start import start

    code = 70
    try:
        start(job["arguments"])
        code = 0
    except SystemExit as error:
        code = _exit_code(error)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _exit_code(error: SystemExit) -> int:
    if isinstance(error.code, str):
        print(error.code, file=sys.stderr)
        return 1
    return error.code or 0


if __name__ == "__main__":
    main()
