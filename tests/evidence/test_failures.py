"""What of a unit outlives a failure, and what of the list an edit."""

from pathlib import Path

import pytest

from pipeline.evidence import finish_unit, runner, subprocesses, unit_state
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
    monkeypatch.setattr(unit_state.checkouts, "head", lambda: NOW)
    monkeypatch.setattr(unit_state.checkouts, "at", Path)
    asked = {Path(THEN): {"asked": 1}, Path(NOW): {"asked": 1}}
    monkeypatch.setattr(
        unit_state.fingerprint, "of_half", lambda unit, half, checkout: asked[checkout]
    )
    unit_state.update(UNIT, "training", commit=THEN, date="2026-01-01", **asked[Path(THEN)])
    unit_state.update(UNIT, "measuring", commit=THEN)
    tried = []

    def fail(checkout, *words):
        tried.append(str(checkout))
        raise subprocesses.FailedError("no disk")

    monkeypatch.setattr(subprocesses, "output_of", fail)
    file = UNIT.path(template("measures"))
    file.parent.mkdir(parents=True)
    file.touch()
    return file, asked, tried


def measure():
    with pytest.raises(subprocesses.FailedError):
        finish_unit._finish_half(UNIT, "measuring", lambda said: None)


def test_what_was_measured_outlives_failures_that_no_later_commit_would_end(measured):
    file, _, tried = measured
    for _ in range(3):
        measure()
    assert tried == [THEN] * 3 and file.exists()
    assert unit_state.read(UNIT)["measuring"] | {"seconds": 0} == {
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
    assert unit_state.read(UNIT)["measuring"]["failures"] == 1
    assert unit_state.read(UNIT)["training"]["commit"] == THEN


def test_a_program_that_was_killed_has_not_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocesses, "_environment", lambda checkout: None)
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(UserError, match="killed by signal 9") as error:
        subprocesses.output_of(tmp_path, "-c", killed)
    assert not isinstance(error.value, subprocesses.FailedError)
    with pytest.raises(subprocesses.FailedError, match="a word"):
        subprocesses.output_of(tmp_path, "-c", "import sys; sys.exit('a word')")


def test_a_study_that_is_half_edited_leaves_the_list_as_it_was(tmp_path, monkeypatch):
    said = []
    listed = runner._read_list([], said.append)
    assert len(listed) > 40 and all(isinstance(one.needs, tuple) for one in listed)
    monkeypatch.setenv("PYTHONPATH", f"{Path('src').absolute()}:{Path().absolute()}")
    environment = subprocesses._environment(Path())
    monkeypatch.setattr(subprocesses, "_environment", lambda checkout: environment)
    monkeypatch.chdir(tmp_path)  # where there is no list
    assert runner._read_list(listed, said.append) == listed
    assert "the list stays as it was: " in said[0] and "plan.yaml" in said[0]
    with pytest.raises(subprocesses.FailedError):
        runner._read_list([], said.append)
