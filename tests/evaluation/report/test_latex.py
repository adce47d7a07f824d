"""The LaTeX of an evaluation: whole, escaped, and with all that a reader of the paper needs."""

import re
import shutil
import string
import subprocess

import pytest

from robustinfo.evaluation.checks import UNTRUSTED
from robustinfo.evaluation.report import latex
from tests.evaluation.report import documents


def columns(line):
    return len(re.findall(r"(?<!\\)&", line)) + 1


@pytest.mark.parametrize("kind", documents.KINDS)
def test_a_table_is_whole_and_a_row_has_four_cells(kind):
    made = documents.KINDS[kind]()
    table, row = latex.table(made), latex.row(made)
    for begin, end in ((r"\begin{table}", r"\end{table}"), (r"\begin{tabular}", r"\end{tabular}")):
        assert table.count(begin) == table.count(end) == 1
    lines = [line for line in table.splitlines() if line.endswith(r"\\")]
    assert len(lines) == len(made["attacks"]) + 3
    assert {columns(line) for line in lines} == {3}
    *comments, cells = row.splitlines()
    assert all(line.startswith("%") for line in comments)
    assert columns(cells) == 4 and cells.endswith(r"\\")


@pytest.mark.parametrize("name", documents.HOSTILE)
def test_a_name_cannot_be_more_than_text(name):
    escaped = latex.escape(name)
    bare = re.sub(r"\\(text[a-z]+\{\}|[{}$&#%_])", "", escaped)
    assert not re.search(r"[$&#%_^~\\<>|\"]", bare)
    depth = 0
    for letter in bare:
        depth += (letter == "{") - (letter == "}")
        assert depth in (0, 1)
    assert depth == 0


def test_escapes_are_undone_by_reading_them():
    text = "".join(map(chr, range(32, 127))) + "éß"
    read = latex.escape(text)
    for letter, escape in latex.ESCAPES.items():
        assert escape in read, letter
    assert latex.escape("é") == "é" and latex.escape("漢\N{REPLACEMENT CHARACTER}") == "??"


def test_the_caption_says_norm_epsilon_images_protocol_seed_and_interval():
    caption = re.search(r"\\caption\{(.*)\}$", latex.table(documents.document()), re.MULTILINE)[1]
    for words in (r"$\ell_\infty \le 0.1$", "64 images", "protocol tiny", "seed 0", "Wilson"):
        assert words in caption
    threat = {"norm": "l2", "epsilon": 8 / 255}
    assert r"$\ell_2 \le 8/255$" in latex.table(documents.document(threat=threat))


def test_an_accuracy_that_is_not_to_be_trusted_is_at_most_that():
    for verdict in ("holds against what was tried", "broken", *UNTRUSTED):
        made = documents.document(verdict=verdict)
        is_bound = r"$\le$\,20.3" in latex.row(made)
        assert is_bound == (verdict in UNTRUSTED) == (r"$\le$\,20.3" in latex.table(made))


def test_a_black_box_has_no_robust_accuracy():
    made = documents.KINDS["black box"]()
    for text in (latex.row(made), latex.table(made)):
        assert "black-box accuracy" in text and "robust accuracy" not in text


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no LaTeX")
def test_latex_takes_it_whatever_the_names_are(tmp_path):
    made = documents.hostile()
    letters = string.printable + "".join(map(chr, range(0xA0, 0x250)))
    made["model"] = made["model"] | {"source": letters}
    parts = {"row.tex": latex.row(made), "table.tex": latex.table(made)}
    for name, text in parts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\n" + latex.PACKAGES.removeprefix("% ") + "\\begin{document}\n"
        "\\input{table}\n\\begin{tabular}{llll}\n\\input{row}\n\\end{tabular}\n\\end{document}\n"
    )
    line = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    ended = subprocess.run(line, cwd=tmp_path, capture_output=True, timeout=60)
    assert ended.returncode == 0, ended.stdout.decode("latin1")[-2000:]
