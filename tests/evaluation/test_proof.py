"""The proof goes on where it was stopped, and its page says what ran."""

import re
import subprocess
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.honest.registry import NETWORKS
from robustinfo.core.errors import UserError
from tests.evaluation import proof, proof_parts, records, table
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


@pytest.fixture
def file(tmp_path):
    return tmp_path / "proof.jsonl"


def test_what_is_finished_is_not_run_again(tmp_path, file, calls):
    [*islice(proof.run(tmp_path, file), 1)]
    assert calls == [("tiny", "a")]
    assert len([*proof.run(tmp_path, file)]) == 2
    assert calls == [("tiny", "a"), ("tiny", "b"), ("large", "a")]
    assert [*proof.run(tmp_path, file)] == []


def test_after_a_change_of_code_a_piece_is_run_again_and_until_then_its_record_stands(
    tmp_path, file, calls, monkeypatch
):
    [*proof.run(tmp_path, file)]
    monkeypatch.setattr(proof, "digest", lambda *files: "0" * 12)
    before = records.read(file)
    assert {one["of"] for one in before.values()} == {"a", "b"}
    assert not any(piece.is_done(before) for piece in proof.pieces())
    assert len([*proof.run(tmp_path, file)]) == 3
    after = records.read(file)
    assert {one["code"] for one in after.values()} == {"0" * 12} and len(after) == len(before) == 3


def test_the_commit_of_a_record_is_the_last_one_that_changed_the_library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    library = tmp_path / records.LIBRARY / "a.py"
    library.parent.mkdir(parents=True)
    for file in (library, tmp_path / "README.md"):
        file.write_text("1")
        git("add", "--all")
        git("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "one")
    first = git("rev-parse", "--short=8", "HEAD~1").strip()
    assert records.commit() == first
    library.write_text("2")
    assert records.commit() == f"{first}+"


def git(*words):
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout


def test_a_piece_is_named_by_the_beginning_of_its_name(tmp_path, file, calls):
    [*proof.run(tmp_path, file, ["part/large"])]
    assert calls == [("large", "a")]
    with pytest.raises(UserError, match="no piece begins with prat; the parts are part"):
        [*proof.run(tmp_path, file, ["prat"])]


def test_a_piece_that_fails_leaves_nothing_behind(tmp_path, file, calls, monkeypatch):
    [*proof.run(tmp_path, file, ["part/large"])]
    before = file.read_bytes()
    monkeypatch.setattr(records.json, "dumps", lambda *args, **more: 1 / 0)
    monkeypatch.setattr(proof, "digest", lambda *files: "0" * 12)
    with pytest.raises(ZeroDivisionError):
        [*proof.run(tmp_path, file, ["part/large"])]
    assert file.read_bytes() == before


def test_a_network_whose_data_set_is_not_there_is_not_run_and_said_so(tmp_path, file, calls):
    part = proof_parts.PARTS["part"]
    proof_parts.PARTS["part"] = part._replace(lacking=lambda name: "mnist is not prepared")
    said = [*proof.run(tmp_path, file, ["part/tiny/a"])]
    assert said == ["part/tiny/a: not run, mnist is not prepared"] and not calls


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


def test_only_the_tables_of_the_page_are_made_again(tmp_path, monkeypatch, file):
    page = tmp_path / "proof.md"
    page.write_text(table.PAGE.read_text("utf-8"), "utf-8")
    monkeypatch.setattr(table, "PAGE", page)
    outside = text_outside(page)
    table.write(file)
    assert text_outside(page) == outside and table.NOT_RUN in page.read_text("utf-8")
    assert outside.count("<!-- end -->") == len(table.tables({})) == 6


def test_who_is_accused_is_named_in_the_tables():
    piece = proof.Piece("honest", "tiny", NETWORKS[0].name)
    found = {"verdict": "masked", "clean_accuracy": 1.0, "robust_accuracy": 0.5, "commit": "abc",
             "failed": "flat_fraction autoattack_attacks",
             "accused_by": "flat_fraction=0.9"}  # fmt: skip
    *_, counted = table.honest({piece: found})
    assert counted == "| tiny | 1 of 1 | 1 | 1 masked |"
    *_, told = table.networks({piece: found})
    assert "masked, 50%, `flat_fraction` **accused** by flat_fraction=0.9 | abc |" in told
    assert "autoattack" not in told


@pytest.mark.docs
def test_the_page_is_made_from_the_records(tmp_path, monkeypatch):
    page = tmp_path / "proof.md"
    page.write_text(table.PAGE.read_text("utf-8"), "utf-8")
    monkeypatch.setattr(table, "PAGE", page)
    table.write()
    assert page.read_text("utf-8") == Path("docs/proof.md").read_text("utf-8")


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
