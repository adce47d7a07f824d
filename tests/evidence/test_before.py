"""Units that were begun or finished at a commit whose stages had no contracts yet."""

from pathlib import Path

import pytest

from pipeline.evidence import (
    fingerprint,
    finish_unit,
    page,
    plan,
    records,
    runner,
    steps,
    subprocesses,
    unit_state,
)
from pipeline.evidence.units import Unit
from pipeline.study.check import load
from robustinfo.core.errors import UserError
from tests.evidence.tiny import STUDY

UNIT = Unit("tiny", "tiny.yaml", "tiny", "digits", "lenet5", "standard", "0", 1.0, ())
# Of the trainings of the tiny study, by commit 1896c36, the last one without.
ASKED_THEN = {
    "standard": "1999489fb8b86661d203c39ecac505ddcb01f4a5cf5c291b21e4366cd8c4d29f",
    "entropic": "c0e50fed1d9e548e91e131d816eae6c8ab09238bf03b39c34254953a602bc81d",
}


@pytest.fixture
def then(tmp_path, monkeypatch):
    """A unit of a commit whose stages were files without contracts; no program may be started."""
    monkeypatch.chdir(tmp_path)
    for folder in ("now", "then/pipeline/stages"):
        Path(folder).mkdir(parents=True)
    for folder in ("", "now", "then"):
        Path(folder, "tiny.yaml").write_text(STUDY)
    Path("then/pipeline/stages/prepare.py").write_text("def run(job):\n    pass\n")
    monkeypatch.setattr(unit_state.checkouts, "head", lambda: "now")
    monkeypatch.setattr(unit_state.checkouts, "at", Path)
    for name in ("output_of", "start", "run"):
        monkeypatch.setattr(subprocesses, name, lambda *_, **__: pytest.fail("it was started"))


@pytest.mark.parametrize("trained", [None, "2026-01-01"])
def test_a_unit_under_way_is_refused_with_one_sentence_before_anything_runs(then, trained):
    unit_state.update(UNIT, "training", commit="then", date=trained, asked="1")
    unit_state.update(UNIT, "measuring", commit="then")
    before = unit_state.read(UNIT)
    with pytest.raises(UserError) as error:
        finish_unit.finish(UNIT, lambda said: None)
    assert not isinstance(error.value, subprocesses.FailedError)  # nothing is counted as a failure
    said = str(error.value)
    assert said.startswith("then is of a commit at which stages had no contracts yet: tiny/digits/")
    assert "delete .evidence/begun/tiny/digits/lenet5/standard/0 and .evidence/results/t" in said
    assert "\n" not in said
    assert unit_state.read(UNIT) == before


def test_a_runner_goes_on_with_other_units(then, tmp_path, monkeypatch):
    unit_state.update(UNIT, "training", commit="then")
    done, units = [], [UNIT, UNIT.of("other")]

    def finish(unit, tell):
        finish_unit._finish_half(UNIT, "training", tell) if unit is UNIT else done.append(unit)
        unit.record.mkdir(parents=True)
        (unit.record / "unit.json").touch()

    monkeypatch.setattr(runner, "_read_list", lambda *_: units)
    monkeypatch.setattr(runner.finish_unit, "finish", finish)
    monkeypatch.setattr(subprocesses, "output_of", lambda *_: "")
    monkeypatch.setattr(runner.driver, "set_job_environment", lambda: None)
    monkeypatch.setattr(runner.signal, "signal", lambda *_: None)
    with pytest.raises(
        UserError, match=f"^1 units failed: {UNIT.name}; then is of a commit at which"
    ):
        runner.run(lambda said: None)
    assert done == [UNIT.of("other")]


@pytest.mark.parametrize("defence", ASKED_THEN)
def test_a_training_asks_for_what_it_asked_for_then_by_the_same_digest(tmp_path, defence):
    """Else no unit that was finished then could be measured again."""
    file = tmp_path / "tiny.yaml"
    file.write_text(STUDY)
    names = UNIT.names | {"defence": defence}
    found = fingerprint.of_study(load(file), names, "training", Path())
    assert found["asked"] == ASKED_THEN[defence]


def test_finished_records_of_then_are_read_shown_and_never_planned_again():
    """Their digests name files that are not here any more."""
    finished = [unit for unit in plan.units() if unit.is_finished]
    of_then = [u for u in finished if "pipeline/paths.py" in meaning_of(u)]
    assert of_then
    assert runner._next_unit(of_then, ()) is None
    shown = page.text()
    for unit in of_then:
        (line,) = [one for one in shown.splitlines() if f"[{unit.name}]({unit.name})" in one]
        assert records.read(unit)["training"]["commit"][:10] in line


def meaning_of(unit):
    record = records.read(unit)
    return {file for half in steps.HALVES for file in record[half]["meaning"]}
