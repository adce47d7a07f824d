"""An end for a store that does not answer: silence ends the process, whatever it waits for.

A time-out of HTTP is per read, and a server that sends a byte every two seconds never meets it;
a database that is locked, or a name that is not resolved, has patience of its own. So a thread
counts the seconds since the last call that returned.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

SERVER_SECONDS = 9.0  # without an answer; with the start of Python and mlflow, 15 at most
DATABASE_SECONDS = 60.0  # the tables of a new one are made in one call


def of(uri: str) -> float:
    """The seconds after which a store of this address is taken to be silent."""
    return SERVER_SECONDS if uri.startswith("http") else DATABASE_SECONDS


class Patience:
    """Ends the process with exit code 0 after ``seconds`` in which no call has returned.

    last_words: what it then prints. ``with Patience(...) as patience``: the time counts inside.
    """

    def __init__(self, last_words: str, seconds: float) -> None:
        """Nothing is counted yet."""
        self._last_words, self._seconds = last_words, seconds
        self._over = threading.Event()

    def __enter__(self) -> "Patience":
        """Begin to count."""
        self._answered = time.monotonic()
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Count no more."""
        self._over.set()

    def watched(self, client: Any) -> "Watched":  # noqa: ANN401 - of any class
        """The client; each of its calls that returns is an answer."""
        return Watched(client, self._note)

    def _note(self) -> None:
        self._answered = time.monotonic()

    def _watch(self) -> None:
        while not self._over.wait(max(0.0, self._answered + self._seconds - time.monotonic())):
            if time.monotonic() >= self._answered + self._seconds:
                print(self._last_words, flush=True)
                sys.stderr.flush()
                os._exit(0)


class Watched:
    """A client all of whose methods say when they have returned."""

    def __init__(self, client: Any, note: Callable[[], None]) -> None:  # noqa: ANN401
        """note: called after every call."""
        self._client, self._note = client, note

    def __getattr__(self, name: str) -> Callable:
        """The client's method."""
        method = getattr(self._client, name)

        def call(*arguments: Any, **settings: Any) -> Any:  # noqa: ANN401
            answer = method(*arguments, **settings)
            self._note()
            return answer

        return call
