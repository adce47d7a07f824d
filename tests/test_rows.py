"""Tables and manifests: what was written is read, name by name and bit by bit, or is refused."""

import math
import random
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.results import information_vs_robustness, rows, sealed_text
from pipeline.stages import claims, collect, gallery, leaderboard, verdict
from robustinfo.core.files import AlteredFileError, DiskError

# What a reader that guesses takes for nothing, for a number, for a remark, or for two fields.
NAMES = [
    "None", "NA", "N/A", "nan", "NaN", "null", "<NA>", "-", "007", "7", "1e3", "-0", "0x10", "inf",
    "1_000", "True", "False", "2026-11-30", "", " ", " a ", "#a", "a,b", 'a"b', '"a"', "a\nb", "é",
    "a\rb", "a\r\nb", "=1+1", "+1", "-1", "@a", "'a", "''=",
]  # fmt: skip
LINE = {"stage": "diagnose", "entry": "clean", "quantity": "accuracy", "value": 0.75, "n": 64}
KINDS = {
    "run": [*rows.MEASURED_AT, *rows.VALUE],
    "collected": [*rows.RUN, *rows.MEASURED_AT, *rows.VALUE],
    "per_image": collect.COLUMNS,
    "verdict": verdict.COLUMNS,
    "checks": verdict.CHECKED,
    "leaderboard": ["rank", *verdict.COLUMNS, "clean_low", "clean_high", "protocol"],
    "attacks": leaderboard.ATTACKED,
    "epsilon": leaderboard.SWEPT,
    "information": information_vs_robustness.POINT,
    "correlations": information_vs_robustness.CORRELATION,
    "gallery": gallery.COLUMNS,
    "claims": claims.COLUMNS,
    "table": ["row", "column", "paper", "ours", "low", "high", "n", "difference", "saturated"],
}


def table_of(columns, name="None"):
    """Three lines of such a table: a number where numbers stand, else the name."""
    lines = [{c: 0.25 + k if c in rows.NUMBERS else name for c in columns} for k in range(3)]
    return pd.DataFrame(lines, columns=columns)


def refused(path, read=rows.read):
    with pytest.raises(AlteredFileError, match=rf"{path.name} is not as it was .*delete it and"):
        read(path)


def flips(content, many=100):
    """The content with one bit flipped: of every byte, or of so many drawn ones."""
    places = random.Random(0).sample(range(8 * len(content)), many)
    for place in places:
        altered = bytearray(content)
        altered[place // 8] ^= 1 << place % 8
        yield bytes(altered)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_text_whatever_it_looks_like(tmp_path, name):
    for kind, columns in KINDS.items():
        written = table_of(columns, name)
        rows.write_table(tmp_path / kind, written)
        found = rows.read(tmp_path / kind)
        for column in columns:
            assert found[column].tolist() == written[column].tolist(), (kind, column)
    line = LINE | dict.fromkeys(["entry", "input", "layer"], name)
    rows.write(tmp_path / "a.csv", [line | {"defence": name, "seed": 7}], rows.RUN)
    (found,) = rows.read(tmp_path / "a.csv").to_dict("records")
    assert {found[key] for key in ("entry", "input", "layer", "defence")} == {name}
    assert found["seed"] == 7 and found["dataset"] == ""


def test_a_spreadsheet_computes_no_name(tmp_path):
    table = pd.DataFrame({"label": ["=1+1", "cat"], "value": [-1.0, 2.0]})
    rows.write_table(tmp_path / "table.csv", table)
    rows.write(tmp_path / "rows.csv", [LINE | {"entry": "@a"}])
    assert sealed_text.read(tmp_path / "table.csv") == b"label,value\n'=1+1,-1.0\ncat,2.0\n"
    assert b",'@a," in sealed_text.read(tmp_path / "rows.csv")


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=9))
def test_a_number_is_read_to_its_last_bit(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("rows") / "a.csv"
    rows.write(path, [LINE | {"value": value} for value in values])
    assert [value.hex() for value in rows.read(path).value.astype(float)] == [
        value.hex() for value in map(float, values)
    ]


def test_an_empty_number_is_nan_and_whole_numbers_stay_whole(tmp_path):
    path = tmp_path / "a.csv"
    rows.write(path, [LINE | {"level": math.nan}, LINE | {"value": ""}])
    table = rows.read(path)
    assert table.level.isna().all() and table.value.isna().tolist() == [False, True]
    assert table.n.dtype.kind == "i" and table.epoch.dtype.kind == "f"
    rows.write_table(path, pd.DataFrame({"claim": ["NA"], "saturated": [None]}))
    assert rows.read(path, numbers=["saturated"]).saturated.isna().all()
    assert rows.read(path).saturated.tolist() == [""]


def test_an_empty_table_has_its_columns(tmp_path):
    for kind, columns in KINDS.items():
        rows.write_table(tmp_path / kind, pd.DataFrame(columns=columns))
        found = rows.read(tmp_path / kind)
        assert found.empty and [*found] == columns
        assert all(found[c].dtype.kind in "if" for c in columns if c in rows.NUMBERS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_of_a_table_of_any_kind_is_noticed(tmp_path, kind):
    path = tmp_path / f"{kind}.csv"
    rows.write_table(path, table_of(KINDS[kind], "pgd"))
    content = path.read_bytes()
    for altered in flips(content):
        path.write_bytes(altered)
        refused(path)
    path.write_bytes(content)
    assert len(rows.read(path)) == 3


def test_a_table_that_was_cut_lengthened_or_never_sealed_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    rows.write(path, [LINE | {"epoch": epoch} for epoch in range(5)])
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    header, unsealed = b"".join(lines[:2]), b"".join(lines[1:])
    others = [b"", lines[0], header, content[:-1], content[: len(content) // 2], unsealed]
    for other in [*others, content + b"\n", content + lines[-1], content.replace(b"\n", b"\r\n")]:
        path.write_bytes(other)
        refused(path)


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir])
def test_what_is_no_file_is_refused_by_name(tmp_path, make):
    make(tmp_path / "a.csv")
    for read in (rows.read, sealed_text.read_json):
        with pytest.raises(AlteredFileError, match=r"a\.csv cannot be read .*delete it"):
            read(tmp_path / "a.csv")


def test_a_disk_that_refuses_leaves_the_table_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    rows.write(path, [LINE])

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(DiskError, match=r"a\.csv: .*No space left"):
            rows.write(path, [])
    assert len(rows.read(path)) == 1 and [*tmp_path.iterdir()] == [path]


MANIFEST = {"name": "NA", "classes": ["0", "1"], "splits": {"test": {"shape": [1, 8, 8], "n": 3}}}


def test_a_flipped_bit_of_a_manifest_is_noticed(tmp_path):
    path = tmp_path / "data.json"
    sealed_text.write_json(path, MANIFEST)
    content = path.read_bytes()
    assert sealed_text.read_json(path) == MANIFEST
    for altered in flips(content, 500):
        path.write_bytes(altered)
        refused(path, sealed_text.read_json)


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", "7", "[" * 100_000, '{"sha256": "a"}'])
def test_a_manifest_without_a_seal_of_its_own_is_refused(tmp_path, content):
    path = tmp_path / "data.json"
    path.write_text(content)
    refused(path, sealed_text.read_json)


def test_no_program_reads_or_writes_a_table_by_a_rule_of_its_own():
    others = [file for file in Path("pipeline").rglob("*.py") if file.name != "rows.py"]
    texts = {file: file.read_text() for file in others}
    assert len(texts) > 40
    assert not [file for file, text in texts.items() if "read_csv" in text or "to_csv" in text]
    assert not [file for file, text in texts.items() if '("data").read_text' in text]
