"""The page shows what the trials found, every trial has run, and every promise held."""

import json

from tests.faults import table
from tests.faults.trials import TRIALS


def test_the_page_is_made_of_what_was_found():
    page = table.PAGE.read_text("utf-8")
    assert table.made(page) == page and len(table.found()) > 20


def test_every_trial_has_run_and_every_promise_held():
    assert [*json.loads(table.FOUND.read_text("utf-8"))] == [*TRIALS]
    assert not [row for row in table.found() if not 0 < row["tried"] == row["held"]]
