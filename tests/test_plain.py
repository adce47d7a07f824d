"""What is printed can be written on any paper."""

import io

import pytest
from rich.console import Console
from rich.table import Table

from robustinfo.cli.plain import TextFormat, text


def table():
    found = Table("check", "asked")
    found.add_row("Ärger 猫", "≤ 0.05")
    found.add_row("robust", "≥ 1")
    return found


@pytest.mark.parametrize(
    "encoding, holds",
    [
        ("utf-8", ["≤ 0.05", "≥ 1", "Ärger 猫"]),
        ("latin-1", ["<= 0.05", ">= 1", "Ärger"]),
        ("ascii", ["<= 0.05", ">= 1", "rger"]),
    ],
)
def test_every_letter_can_be_written_and_signs_keep_their_meaning(encoding, holds):
    found = text(table(), TextFormat(encoding, 60, None))
    found.encode(encoding)
    assert all(one in found for one in holds) and "\x1b" not in found


def test_paper_is_as_wide_and_coloured_as_the_console():
    terminal = Console(file=io.StringIO(), width=33, force_terminal=True, color_system="standard")
    paper = TextFormat.from_console(terminal)
    assert paper.width == 33 and paper.colours == "standard"
    found = text("[red]failed[/] " + 20 * "word ", paper)
    assert "\x1b[31mfailed" in found
    assert TextFormat.from_console(Console(file=io.StringIO())).colours is None
