"""A store that never answers ends the process by itself, with a line; one that answers does not."""

import signal
import subprocess
import sys

import pytest

CHILD = """
import signal, sys, time
from pipeline.tracking.patience import Patience
class Store:
    def ask(self, seconds): time.sleep(seconds)
signal.alarm(20)  # ended by this signal, it did not end by itself
with Patience("no answer", 0.5) as patience:
    store = patience.watched(Store())
    for seconds in map(float, sys.argv[1:]):
        if seconds < 0: time.sleep(-seconds)  # work of its own
        else: store.ask(seconds)
print("answered")
"""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (["60"], "no answer"),
        (["0", "60"], "no answer"),
        (6 * ["0.2"], "answered"),
        (["0", "-1.5", "0"], "answered"),
    ],
)
def test_silence_ends_the_process_with_its_last_words(seconds, said):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *seconds], capture_output=True, text=True, check=False
    )
    assert done.returncode != -signal.SIGALRM
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{said}\n", "")
