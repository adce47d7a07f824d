"""An end for a store that does not answer: silence ends the process, whatever it waits for.

A time-out of HTTP is per read, and a server that sends a byte every two seconds never meets it;
a database that is locked, or a name that is not resolved, has patience of its own. So a thread
counts the seconds of each call; what this program computes between two calls is not counted.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

SERVER_SECONDS = 9.0  # of one call; with the start of Python and mlflow, 15 in all
POLL_SECONDS = 0.2
DATABASE_SECONDS = 60.0  # the tables of a new one are made in one call


def of(uri: str) -> float:
    """The seconds after which a store of this address is taken to be silent."""
    return SERVER_SECONDS if uri.startswith("http") else DATABASE_SECONDS


class Patience:
    """Ends the process with exit code 0 when one call has lasted ``seconds``.

    last_words: what it then prints. ``with Patience(...) as patience``: calls are watched inside.
    """

    def __init__(self, last_words: str, seconds: float) -> None:
        """No call is watched yet."""
        self._last_words, self._seconds = last_words, seconds
        self._over = threading.Event()
        self._called: float | None = None  # when the call began that has not returned

    def __enter__(self) -> "Patience":
        """Begin to watch."""
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Watch no more."""
        self._over.set()

    def watched(self, client: Any) -> "Watched":  # noqa: ANN401 - of any class
        """The client, with every call watched."""
        return Watched(client, self.call)

    def call(self, method: Callable, *arguments: Any, **settings: Any) -> Any:  # noqa: ANN401
        """The result of one call, watched."""
        self._called = time.monotonic()
        try:
            return method(*arguments, **settings)
        finally:
            self._called = None

    def _watch(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            called = self._called
            if called is not None and time.monotonic() >= called + self._seconds:
                print(self._last_words, flush=True)
                sys.stderr.flush()
                os._exit(0)


class Watched:
    """A client all of whose methods go through ``call(method, ...)``."""

    def __init__(self, client: Any, call: Callable) -> None:  # noqa: ANN401
        """call: that makes a call, and returns what it returned."""
        self._client, self._call = client, call

    def __getattr__(self, name: str) -> Callable:
        """The client's method."""
        return partial(self._call, getattr(self._client, name))
