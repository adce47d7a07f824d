"""What of a unit outlives a failure, and what of the list an edit."""

from pathlib import Path

import pytest

from pipeline.evidence import begun, children, running, working
from pipeline.evidence.units import Unit
from pipeline.run.contract import template
from robustinfo.core.errors import UserError
from tests.evidence.tiny import STUDY
from tests.jobs import settle

pytestmark = pytest.mark.slow

UNIT = Unit("tiny", "tiny.yaml", "tiny", "digits", "lenet5", "standard", "0", 1.0, ())
THEN, NOW = "then", "now"  # the commits: folders here


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """A unit whose training is done and whose programs all fail; a file of what it measured."""
    settle(tmp_path, monkeypatch)
    for folder in ("", THEN, NOW):
        Path(folder).mkdir(exist_ok=True)
        Path(folder, "tiny.yaml").write_text(STUDY)
    monkeypatch.setattr(begun.checkouts, "head", lambda: NOW)
    monkeypatch.setattr(begun.checkouts, "at", Path)
    asked = {Path(THEN): {"asked": 1}, Path(NOW): {"asked": 1}}
    monkeypatch.setattr(begun.asking, "of", lambda unit, half, checkout: asked[checkout])
    begun.note(UNIT, "training", commit=THEN, date="2026-01-01", **asked[Path(THEN)])
    begun.note(UNIT, "measuring", commit=THEN)
    tried = []

    def fail(checkout, *words):
        tried.append(str(checkout))
        raise children.FailedError("no disk")

    monkeypatch.setattr(children, "asked", fail)
    file = UNIT.path(template("measures"))
    file.parent.mkdir(parents=True)
    file.touch()
    return file, asked, tried


def measure():
    with pytest.raises(children.FailedError):
        working._half(UNIT, "measuring", lambda said: None)


def test_what_was_measured_outlives_failures_that_no_later_commit_would_end(measured):
    file, _, tried = measured
    for _ in range(3):
        measure()
    assert tried == [THEN] * 3 and file.exists()
    assert begun.of(UNIT)["measuring"] | {"seconds": 0} == {
        "commit": THEN, "seconds": 0, "date": None, "failures": 3,
    }  # fmt: skip


def test_what_fails_twice_begins_again_once_where_its_code_is_another(measured):
    """The first time it may have been a full disk, though the code is another already."""
    file, asked, tried = measured
    asked[Path(NOW)] = {"asked": 1, "meaning": 2}
    measure()
    assert tried == [THEN] and file.exists()
    measure()
    assert tried == [THEN, THEN, NOW] and not file.exists()
    assert begun.of(UNIT)["measuring"]["failures"] == 1
    assert begun.of(UNIT)["training"]["commit"] == THEN


def test_a_program_that_was_killed_has_not_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(children, "_environment", lambda checkout: None)
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(UserError, match="killed by signal 9") as error:
        children.asked(tmp_path, "-c", killed)
    assert not isinstance(error.value, children.FailedError)
    with pytest.raises(children.FailedError, match="a word"):
        children.asked(tmp_path, "-c", "import sys; sys.exit('a word')")


def test_a_study_that_is_half_edited_leaves_the_list_as_it_was(tmp_path, monkeypatch):
    said = []
    listed = running._listed([], said.append)
    assert len(listed) > 40 and all(isinstance(one.needs, tuple) for one in listed)
    monkeypatch.setenv("PYTHONPATH", f"{Path('src').absolute()}:{Path().absolute()}")
    environment = children._environment(Path())
    monkeypatch.setattr(children, "_environment", lambda checkout: environment)
    monkeypatch.chdir(tmp_path)  # where there is no list
    assert running._listed(listed, said.append) == listed
    assert "the list stays as it was: " in said[0] and "plan.yaml" in said[0]
    with pytest.raises(children.FailedError):
        running._listed([], said.append)
