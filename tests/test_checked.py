"""A study is checked once, and again after any change of what was checked or of what checks."""

import os
from pathlib import Path

import pytest

from pipeline.study import check, checked
from pipeline.study.extends import files_of
from pipeline.study.strict_yaml import StudyError

FILES = [Path("params.yaml"), *sorted(Path("studies").glob("*.yaml"))]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a study that extends another, some code, and the number of checks made."""
    for name in ("src", "pipeline"):
        (tmp_path / name).symlink_to(Path(name).absolute())
    (tmp_path / "studies/references").mkdir(parents=True)
    for file in Path("studies/references").glob("*.yaml"):
        (tmp_path / file).write_text(file.read_text())
    (tmp_path / "params.yaml").write_text(Path("params.yaml").read_text())
    (tmp_path / "mine.yaml").write_text("extends: params.yaml\nname: mine\nseeds: [3]\n")
    load, made = check.load, []

    def counted(file: Path) -> dict:
        made.append(file)
        return load(file)

    monkeypatch.setattr(check, "load", counted)
    monkeypatch.chdir(tmp_path)
    return made


def test_what_has_not_changed_is_checked_once(project):
    first = checked.load(Path("mine.yaml"))
    assert checked.load(Path("mine.yaml")) == first
    assert first["seeds"] == [3]
    assert len(project) == 1


def test_a_file_in_the_middle_counts_though_no_key_of_it_is_left(project):
    Path("middle.yaml").write_text("extends: params.yaml\nname: middle\nseeds: [4]\n")
    Path("mine.yaml").write_text("extends: middle.yaml\nname: mine\nseeds: [3]\n")
    assert checked.load(Path("mine.yaml"))["evaluation_images"] is None
    Path("middle.yaml").write_text(
        "extends: params.yaml\nname: middle\nseeds: [4]\nevaluation_images: 50\n"
    )
    assert checked.load(Path("mine.yaml"))["evaluation_images"] == 50
    assert [*map(str, files_of(Path("mine.yaml")))] == ["mine.yaml", "middle.yaml", "params.yaml"]


@pytest.mark.parametrize("file", ["mine.yaml", "params.yaml"])
def test_a_change_of_the_study_or_of_what_it_extends_is_checked(project, file):
    checked.load(Path("mine.yaml"))
    text = Path(file).read_text()
    Path(file).write_text(text.replace("seeds: [3]", "seeds: [4]").replace("2.75", "2.5"))
    found = checked.load(Path("mine.yaml"))
    assert found["seeds"] == ([4] if file == "mine.yaml" else [3])
    assert found["attacks"]["l2_pgd"]["epsilon"] == (2.75 if file == "mine.yaml" else 2.5)
    assert len(project) == 2


def test_a_change_of_a_reference_is_checked(project):
    checked.load(Path("mine.yaml"))
    reference = Path("studies/references/uncertainty.yaml")
    reference.write_text(reference.read_text() + "# more\n")
    checked.load(Path("mine.yaml"))
    assert len(project) == 2


def test_a_change_of_the_code_is_checked(project, monkeypatch):
    checked.load(Path("mine.yaml"))
    Path("extra.py").write_text("")
    monkeypatch.setattr(checked, "CHECK_SOURCES", (*checked.CHECK_SOURCES, "extra.py"))
    checked.load(Path("mine.yaml"))
    os.utime("extra.py", ns=(1, 1))
    checked.load(Path("mine.yaml"))
    assert len(project) == 3


@pytest.mark.parametrize("content", ["", "{", "[]", '{"state": 1}', "\x00\xff"])
def test_a_kept_file_that_is_not_whole_counts_for_nothing(project, content):
    first = checked.load(Path("mine.yaml"))
    (kept,) = checked.CACHE.iterdir()
    kept.write_text(content)
    assert checked.load(Path("mine.yaml")) == first
    assert len(project) == 2


def test_a_study_with_a_mistake_is_refused_each_time(project):
    Path("mine.yaml").write_text("extends: params.yaml\nname: mine\nseeds: [none]\n")
    for _ in range(2):
        with pytest.raises(StudyError, match=r"mine\.yaml:3: seeds"):
            checked.load(Path("mine.yaml"))
    assert len(project) == 2


@pytest.mark.parametrize("file", FILES, ids=str)
def test_what_is_kept_is_the_study_to_the_last_number(file, tmp_path, monkeypatch):
    monkeypatch.setattr(checked, "CACHE", tmp_path)
    assert checked.load(file) == checked.load(file) == check.load(file)
