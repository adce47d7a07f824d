"""Errors of the user's code in one line, with the user's file and line."""

import sysconfig
from pathlib import Path
from traceback import FrameSummary, extract_tb

from torch import OutOfMemoryError

from robustinfo.evaluation.sources import _guarded

GUARD = Path(_guarded.__file__)
OUR_PACKAGE = Path(__file__).parents[2]
LIBRARIES = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib")]
MOST = 300  # characters of an error's message


def error_with_origin(error: BaseException) -> str:
    """The error and the last line of the user's code in it: ``KeyError: 'conv1' (mine.py:17)``."""
    frames = extract_tb(error.__traceback__)
    last = ([*filter(is_users_line, frames)] or frames)[-1:]
    place = "".join(f" ({frame.filename}:{frame.lineno})" for frame in last)
    return f"{type(error).__name__}: {_short(error)}{place}"


def is_users(error: BaseException) -> bool:
    """Whether an error comes from the network, or is a lack of memory, and so no bug here."""
    frames = extract_tb(error.__traceback__)
    in_guard = any(Path(frame.filename) == GUARD for frame in frames)
    return (
        in_guard
        or any(map(is_users_line, frames))
        or isinstance(error, OutOfMemoryError | MemoryError)
    )


def is_users_line(frame: FrameSummary) -> bool:
    """Whether a line is in a file outside this package, Python and installed packages."""
    file = Path(frame.filename)
    known = any(map(file.is_relative_to, (OUR_PACKAGE, *LIBRARIES)))
    return file.is_file() and not known and "site-packages" not in file.parts


def _short(error: BaseException) -> str:
    """The message in one line: of long ones, as TorchScript's, the beginning and the end."""
    text = "".join(letter if letter.isprintable() else " " for letter in str(error))
    message = " ".join(text.split())
    return (
        message
        if len(message) <= MOST
        else f"{message[: MOST // 3]} ... {message[-2 * MOST // 3 :]}"
    )
