"""The proof goes on where it was stopped, and its page says what ran."""

import re
from itertools import islice
from pathlib import Path

import pytest

from robustinfo.core.errors import UserError
from tests.evaluation import proof, proof_parts, table
from tests.evaluation.defects import DEFECTS

pytestmark = pytest.mark.proof
PLANNED = {"tiny": ("a", "b"), "large": ("a",)}


@pytest.fixture
def calls(monkeypatch):
    made = []

    def judged(name, size, folder):
        made.append((size.name, name))
        return {"of": name}

    part = proof_parts.Part(PLANNED, judged, lambda name: ["tests/evaluation/honest.py"])
    monkeypatch.setattr(proof_parts, "PARTS", {"part": part})
    return made


def test_what_is_finished_is_not_run_again(tmp_path, calls):
    [*islice(proof.run(tmp_path), 1)]
    assert calls == [("tiny", "a")]
    assert len([*proof.run(tmp_path)]) == 2
    assert calls == [("tiny", "a"), ("tiny", "b"), ("large", "a")]
    assert [*proof.run(tmp_path)] == []


def test_other_code_is_another_piece(tmp_path, calls, monkeypatch):
    [*proof.run(tmp_path)]
    monkeypatch.setattr(proof, "digest", lambda *files: "0" * 12)
    assert all(piece.result(tmp_path) is None for piece in proof.pieces())
    assert len([*proof.run(tmp_path)]) == 3


def test_a_piece_is_named_by_the_beginning_of_its_name(tmp_path, calls):
    [*proof.run(tmp_path, ["part/large"])]
    assert calls == [("large", "a")]
    with pytest.raises(UserError, match="no piece begins with prat; the parts are part"):
        [*proof.run(tmp_path, ["prat"])]


def test_a_piece_that_fails_leaves_nothing_behind(tmp_path, calls, monkeypatch):
    monkeypatch.setattr(proof.json, "dumps", lambda *args, **more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        [*proof.run(tmp_path, ["part/tiny/a"])]
    assert not any(file.is_file() for file in tmp_path.rglob("*"))


def test_a_change_of_the_evaluation_or_of_a_method_changes_the_digest():
    files = proof.code("tests/evaluation/defects/chance.py")
    assert {"src/robustinfo/attacks/square.py", "src/robustinfo/evaluation/follow_up.py"} <= files
    assert {"tests/evaluation/defects/chance.py", "tests/evaluation/networks.py"} <= files
    assert not {"tests/evaluation/defects/unaware.py", "README.md"} & files


def test_the_counts_of_the_page_are_of_what_is_planned():
    every = {piece: None for piece in proof.pieces()}
    lines = [*table.ran(every)]
    assert sum(
        int(cell.split()[-1]) for line in lines for cell in line.split("|") if " of " in cell
    ) == (len(every))
    assert all(table.NOT_RUN in line for line in [*table.defects(every)][2:])


def test_only_the_tables_of_the_page_are_made_again(tmp_path, monkeypatch):
    page = tmp_path / "proof.md"
    page.write_text(table.PAGE.read_text("utf-8"), "utf-8")
    monkeypatch.setattr(table, "PAGE", page)
    outside = text_outside(page)
    table.write(tmp_path)
    assert text_outside(page) == outside and table.NOT_RUN in page.read_text("utf-8")
    assert outside.count("<!-- end -->") == len(table.tables({})) == 4


def text_outside(page):
    return re.sub(
        r"(<!-- \w+ -->).*?(<!-- end -->)", r"\1\2", page.read_text("utf-8"), flags=re.DOTALL
    )


@pytest.mark.docs
@pytest.mark.parametrize("name", DEFECTS)
def test_the_page_says_of_every_defect_what_the_tests_hold(name):
    defect = DEFECTS[name]
    checks = ", ".join(f"`{check}`" for check in defect.checks)
    start = f"| {defect.text} | {defect.source} | {checks} | {defect.verdict} |"
    assert start in Path("docs/proof.md").read_text("utf-8")
