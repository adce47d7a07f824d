"""The process that ``isolated.call`` starts: calls one function, and writes what it returns.

    python -P -m robustinfo.cli.isolated_worker package.module:function OPTIONS ANSWER PARENT

OPTIONS: JSON. ANSWER: the file descriptor that the answer is written to. PARENT: the read end of a
pipe that closes when the calling process ends.
"""

import json
import os
import signal
import sys
import time
from importlib import import_module
from threading import Thread

PATIENCE = 5  # seconds that threads of the function may go on after the answer


def main(function: str, options: str, answer: int, parent: int) -> None:
    """Write one answer, even if the function has forked meanwhile."""
    process = os.getpid()
    Thread(target=_end_with, args=(parent,), daemon=True).start()
    # What is written goes to standard error, and an encoding of little reach is no error there.
    sys.stdout.reconfigure(errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    module, _, name = function.partition(":")
    answer_text = json.dumps(getattr(import_module(module), name)(**json.loads(options)))
    if os.getpid() == process:
        with os.fdopen(answer, "w", encoding="utf-8") as file:
            file.write(answer_text)
        Thread(target=_end_soon, daemon=True).start()  # Python itself waits for every thread


def _end_soon() -> None:
    """End this process after PATIENCE, even if a thread of the function goes on."""
    time.sleep(PATIENCE)
    os._exit(0)


def _end_with(parent: int) -> None:
    """End this process and its children when the other end of a pipe closes."""
    os.read(parent, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
