"""Study files that are none: one line with the file and its line, in bounded time."""

import re
import time

import pytest

from pipeline.study.check import load
from pipeline.study.strict_yaml import StudyError, read
from tests.test_outline import STUDY

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"name: x\n# caf\xe9\n", 2, "byte 0xe9 is not UTF-8"),
        ("name: x\n".encode("utf-16"), 1, "byte 0xff is not UTF-8"),
        (b"name: x\n\nb: \0\n", 3, r"control character '\\x00'"),
        (b"name: x\n# \x07\n", 2, "control character"),
        (b"a: " + b"[" * 5000, 1, "within one another"),
        (b"\n".join(b" " * i + b"a:" for i in range(100)), 31, "within one another"),
        (b"a: 1\nb: &b {c: [*b]}\n", 2, r"alias \*b stands inside what it names"),
        (LAUGHS.encode(), 5, "aliases unfolded"),
        (b"a:\n  007: 1\n", 2, "a: key '007' reads as int; a key is a text"),
        (b"a: {b: {true: 1}}\n", 1, "a.b: key 'true' reads as bool"),
        (b"null: 1\n", 1, "key 'null' reads as null"),
        (b"? [a, b]\n: 1\n", 1, "a key is a text, not a list"),
        (b"a: " + b"9" * 5000, 1, "no number that a study can hold"),
        (b"a: 0x" + b"f" * 6000, 1, "no number that a study can hold"),
        (b"a: [9223372036854775808]\n", 1, "a.0: .*no number that a study can hold"),
        (b"a: .nan\n", 1, "a: '.nan' is no number"),
        (b"a: -.inf\n", 1, "a: '-.inf' is no number"),
        (b"a: ._\n", 1, "no number"),
        (b"a: 2026-01-01\n", 1, "reads as a timestamp; a text stands in quotes"),
        (b"a: !!python/name:os.system x\n", 1, "a study has no tags"),
        (b"a: 1\na: 2\n", 2, 'duplicate key "a"'),
        (b"", 1, "a study is a mapping of keys, not an empty file"),
        (b"- a\n", 1, "a study is a mapping of keys, not list"),
        (b"a: '" + b"x" * 1_000_000, 1, "bytes are no study"),
    ],
)  # fmt: skip
def test_what_is_no_study_is_refused_with_its_line_in_bounded_time(tmp_path, content, line, said):
    file, start = tmp_path / "s.yaml", time.process_time()
    file.write_bytes(content)
    with pytest.raises(StudyError, match=rf"^{re.escape(str(file))}:{line}: .*{said}") as found:
        read(file)
    assert time.process_time() - start < 5
    assert len(str(found.value)) < 400 and "\n" not in str(found.value)


def test_text_is_read_as_utf8_whatever_the_locale(tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    file = tmp_path / "s.yaml"
    file.write_bytes("name: x\ntitle: Größe ε\n".encode())
    assert read(file)[0]["title"] == "Größe ε"


def test_a_key_that_is_merged_has_the_line_where_it_stands(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text("a: &a\n  k: 1\n  m: 2\nb:\n  <<: *a\n  m: 3\n")
    content, lines = read(file)
    assert content["b"] == {"k": 1, "m": 3}
    assert (lines[("b", "k")], lines[("b", "m")]) == (2, 6)


def test_who_changes_what_was_read_changes_no_later_reading(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text("a: {b: 1}\n")
    read(file)[0]["a"]["b"] = 2
    assert read(file)[0] == {"a": {"b": 1}}


def test_an_empty_section_is_refused_by_its_line_and_key(tmp_path):
    for section in ("defences", "models", "datasets", "attacks", "pretrain", "settings", "claims"):
        text = re.sub(rf"^{section}:.*\n((  .*|\s*#.*|)\n)*", f"{section}:\n", STUDY, flags=re.M)
        file = tmp_path / f"{section}.yaml"
        file.write_text(text, encoding="utf-8")
        line = text.splitlines().index(f"{section}:") + 1
        with pytest.raises(StudyError, match=rf"\.yaml:{line}: {section}: .*it reads None"):
            load(file)
