"""The page shows what the trials found, and every promise that was tried held."""

from tests.faults import table


def test_the_page_is_made_of_what_was_found():
    page = table.PAGE.read_text("utf-8")
    assert table.made(page) == page and len(table.found()) > 10


def test_every_promise_held():
    assert not [row for row in table.found() if not 0 < row["tried"] == row["held"]]
