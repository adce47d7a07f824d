"""Client of the job server: sends a job's arguments, folder, environment and open files, and waits.

It imports only a little of the standard library, since every job pays for it. Signals are passed
on to the job, and if this process is killed, the job is.
"""

import json
import os
import signal
import socket
from collections.abc import Sequence

SERVER = "ROBUSTINFO_SERVER"  # the path of its socket, in a folder of its own
CODE = "code"  # a link beside the socket, to the project whose code the server runs
MESSAGE = 4  # bytes of a length before each message
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def run_on_server(arguments: Sequence[str]) -> int | None:
    """Run a job in a fork of the server: its ``os.waitpid`` status; None without a server.

    arguments: the stage's name, then its options.
    """
    connection = _connect(os.environ.get(SERVER, ""))
    if connection is None:
        return None
    job = {"arguments": list(arguments), "folder": os.getcwd(), "environment": dict(os.environ)}
    with connection:
        content = json.dumps(job).encode(errors="surrogateescape")
        socket.send_fds(connection, [len(content).to_bytes(MESSAGE, "big")], [0, 1, 2])
        connection.sendall(content)
        for signal_number in SIGNALS:
            signal.signal(signal_number, lambda number, _: connection.send(bytes([number])))
        answer = connection.recv(MESSAGE, socket.MSG_WAITALL)
    if len(answer) < MESSAGE:
        raise SystemExit("error: the job server ended; run the same command again")
    return int.from_bytes(answer, "big")


def end_like(status: int) -> None:
    """End this process like the job: with its exit code, or by the signal that killed it."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    raise SystemExit(os.waitstatus_to_exitcode(status))


def _connect(path: str) -> socket.socket | None:
    """Connection to the server; None if there is none, or it is of another project or has ended."""
    here = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    code = os.path.join(os.path.dirname(path), CODE)
    if not path or not os.path.exists(code) or not os.path.samefile(code, here):
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        return None
    return connection
