"""A server of jobs on one machine: it imports torch once, and forks a process for every job.

    python -m pipeline.run.serving SOCKET      started by the driver (driver.py), ends with it

``import torch``, pandas and foolbox take seconds of every job; a fork has them. It computes nothing
itself and never touches a GPU: a process forked after CUDA began cannot use it. One fork keeps the
books of one job: it tells the client how the job ended, passes signals on, and kills the job if the
client is gone. Standard input closes when the driver ends, however it ends.
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

from pipeline.run.served import MESSAGE, SERVER

# What jobs import that takes more than a moment; all of it leaves CUDA and threads alone.
IMPORTED = ("torch", "pandas", "foolbox", "scipy.stats", "matplotlib.figure", "pipeline.run.start")
WAITING = 512  # clients at most that connect while the imports go on


def main() -> None:
    """Serve until the driver is gone."""
    path = sys.argv[1]
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(WAITING)
    for name in IMPORTED:
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the books of a job end by themselves
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to answer
    # No thread waits for either: a fork of several threads has one of them, and all their locks.
    while select([server, sys.stdin], [], [])[0] == [server]:
        client, _ = server.accept()
        if not os.fork():
            server.close()
            _keep_books(client)
        client.close()
    shutil.rmtree(Path(path).parent)


def _keep_books(client: socket.socket) -> NoReturn:
    """Fork the job, pass signals on until it ends, and tell the client how it ended."""
    size, files, *_ = socket.recv_fds(client, MESSAGE, 3)
    content = client.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
    job = json.loads(content.decode(errors="surrogateescape"))
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # it wakes
    child = os.fork()
    if not child:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for one in (client.fileno(), ended, wake):
            os.close(one)
        _run(job, files)
    watched: list[Any] = [client, ended]
    # What reaps the job also sends it signals: never to a number that is another's by now.
    while True:
        ready = select(watched, [], [])[0]
        if ended in ready and os.read(ended, 1):
            gone, status = os.waitpid(child, os.WNOHANG)
            if gone:
                with suppress(OSError):  # nobody may be there to be told
                    client.sendall(status.to_bytes(MESSAGE, "big"))
                os._exit(0)
        elif client in ready:
            number = client.recv(1)
            os.kill(child, number[0] if number else signal.SIGKILL)
            if not number:
                watched.remove(client)


def _run(job: dict, files: list[int]) -> NoReturn:
    """Become the process that the client would have been."""
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
        start(job["words"])
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
