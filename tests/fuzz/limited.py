"""What becomes of each case, in a forked child of limited CPU time and memory."""

import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from robustinfo.core.errors import UserError

CPU_SECONDS, WALL_SECONDS = 20, 300  # of one case
MEMORY = 3 * 2**30  # bytes, beyond what the parent has
TAKEN, REFUSED, ERROR, KILLED = "taken", "refused", "another error", "killed"


class Outcome(NamedTuple):
    """What became of a case. text: the message; or type and place of an error, or the signal."""

    number: int
    result: str
    text: str


def outcomes(cases: Sequence[Any], read: Callable[[Any, int], None]) -> list[Outcome]:
    """One outcome for each case: ``read(case, number)`` returns, or raises.

    A child that dies, of a limit too, is followed by another, which goes on behind that case.
    """
    found: list[Outcome] = []
    while len(found) < len(cases):
        receive, send = os.pipe()
        if (child := os.fork()) == 0:
            os.close(receive)
            with os.fdopen(send, "w") as pipe:
                _run(cases, len(found), read, pipe)
            os._exit(0)
        os.close(send)
        with os.fdopen(receive) as pipe:
            found += [Outcome(*json.loads(line)) for line in pipe]
        status = os.waitpid(child, 0)[1]
        if len(found) < len(cases):
            why = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "exit"
            found.append(Outcome(len(found), KILLED, why))
    return found


def _run(cases: Sequence[Any], first: int, read: Callable[[Any, int], None], pipe: Any) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for number in range(first, len(cases)):
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + CPU_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
        signal.alarm(WALL_SECONDS)
        print(json.dumps(_outcome(cases[number], number, read)), file=pipe, flush=True)


def _outcome(case: Any, number: int, read: Callable[[Any, int], None]) -> Outcome:
    try:
        read(case, number)
    except UserError as error:
        return Outcome(number, REFUSED, str(error))
    except BaseException as error:  # SystemExit and KeyboardInterrupt, too
        frames = traceback.extract_tb(error.__traceback__)
        own = [f"{Path(one.filename).name}:{one.lineno}" for one in frames if _ours(one.filename)]
        return Outcome(
            number, ERROR, f"{type(error).__name__} {' < '.join(own[:-4:-1])}: {error}"[:500]
        )
    return Outcome(number, TAKEN, "")


def _ours(file: str) -> bool:
    return any(file.startswith(str(Path(top).absolute())) for top in ("pipeline", "src", "tests"))


if sys.platform != "linux":  # pragma: no cover
    raise ImportError("the limits are those of Linux")
