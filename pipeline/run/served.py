"""The client of the job server: hands it a job's words, folder, environment and files, and waits.

Standard library, and little of it: what this imports, every job pays for. The job stays this
process's: signals are passed on, and if this process is killed, the job is.
"""

import json
import os
import signal
import socket
from collections.abc import Sequence

SERVER = "ROBUSTINFO_SERVER"  # the path of its socket, in a folder of its own
CODE = "code"  # a link beside it, to the project whose code it has
MESSAGE = 4  # bytes of a length before each message
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def ask(words: Sequence[str]) -> int | None:
    """What ``os.waitpid`` said of the job, served by a fork; None where there is no server.

    words: the stage's name, then its options.
    """
    connection = _connected(os.environ.get(SERVER, ""))
    if connection is None:
        return None
    job = {"words": list(words), "folder": os.getcwd(), "environment": dict(os.environ)}
    with connection:
        content = json.dumps(job).encode(errors="surrogateescape")
        socket.send_fds(connection, [len(content).to_bytes(MESSAGE, "big")], [0, 1, 2])
        connection.sendall(content)
        for one in SIGNALS:
            signal.signal(one, lambda number, _: connection.send(bytes([number])))
        answer = connection.recv(MESSAGE, socket.MSG_WAITALL)
    if len(answer) < MESSAGE:
        raise SystemExit("error: the job server ended; run the same command again")
    return int.from_bytes(answer, "big")


def end_like(status: int) -> None:
    """End this process as the job ended: by its exit code, or by the signal that killed it."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    raise SystemExit(os.waitstatus_to_exitcode(status))


def _connected(path: str) -> socket.socket | None:
    """None without a server, or where it is of another project, or gone."""
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
