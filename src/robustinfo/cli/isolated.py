"""Call a function that runs the user's code in a process of its own.

What that code writes to standard output goes to standard error, whether by ``print``, by the file
descriptor or from C, and when Python ends; ``os._exit(0)`` or a crash ends no other process. The
process leads a group of its own, which ends with it and with the calling process.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from tempfile import TemporaryFile
from typing import Any

from robustinfo.core.errors import UserError

STANDARD_ERROR = 2


def call(function: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The result of ``package.module:function`` for the options; both are passed as JSON.

    Raises UserError if its process ends without an answer. KeyboardInterrupt leaves no process
    behind.
    """
    with TemporaryFile() as answer:
        status = _run_process(function, json.dumps(options), answer.fileno())
        answer.seek(0)
        content = answer.read()
    try:
        return json.loads(content)
    except ValueError:  # empty, or cut in the middle
        raise UserError(f"ended without a verdict: {_exit_reason(status)}") from None


def _run_process(function: str, options: str, answer: int) -> int:
    """Run the process and its children to their end, and return its exit status.

    It is ended, too, when the write end of the pipe closes, as by the end of this process.
    """
    read_end, write_end = os.pipe()
    # -P: a file json.py in the user's folder is not the library; `sources` adds that folder later.
    command = [sys.executable, "-P", "-m", "robustinfo.cli.isolated_worker"]
    process = subprocess.Popen(
        [*command, function, options, str(answer), str(read_end)],
        stdout=STANDARD_ERROR,
        pass_fds=(answer, read_end),
        start_new_session=True,
    )
    os.close(read_end)
    try:
        process.wait()
    finally:  # an interrupt, too
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        os.close(write_end)
        process.wait()
    return process.returncode


def _exit_reason(status: int) -> str:
    """The meaning of an exit status, and where to look."""
    if status == 1:
        return "its process failed; the traceback above says where"
    if status >= 0:
        return f"its process left with exit status {status}; look for os._exit in the network"
    name = signal.Signals(-status).name
    return f"its process was ended by {name}; look for a lack of memory, or a crash in its C code"
