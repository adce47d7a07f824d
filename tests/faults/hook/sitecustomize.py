"""Python starts with this where a trial puts its folder first: kill -9 at file events of jobs.

Every opening to write, renaming, making or removal of a file under results/ and data/ is an event,
seen before it happens. KILLS: a folder that counts them for all processes of a run. The process is
killed at an event with probability 1 / KILL_EVERY, until KILL_MOST kills in all; which, KILL_SEED
says. Where it was, stands in a line of ``killed``.
"""

import os
import random
import signal
import sys

FOLDER, DRIVER = os.environ.get("KILLS"), os.environ.get("ROBUSTINFO_DRIVER")
WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT
EVENTS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"}


def _append(name, content):
    """How many bytes the file has with this content at its end."""
    file = os.open(os.path.join(FOLDER, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, content)
    size = os.fstat(file).st_size
    os.close(file)
    return size


def _kill(event, arguments):
    if event not in EVENTS or not arguments or not isinstance(arguments[0], (str, os.PathLike)):
        return
    path = os.path.relpath(os.fspath(arguments[0]))
    if not path.startswith(("results/", "data/")) or (event == "open" and not arguments[2] & WRITE):
        return
    number = _append("events", b".")
    most, every = int(os.environ["KILL_MOST"]), int(os.environ["KILL_EVERY"])
    drawn = random.Random(f"{os.environ['KILL_SEED']} {number}").random()
    if drawn < 1 / every and _append("count", b".") <= most:
        _append("killed", f"{event} {path}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)


if FOLDER and DRIVER and DRIVER != str(os.getpid()):
    sys.addaudithook(_kill)
