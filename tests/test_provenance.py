"""When a study was computed, and what it took: by the records of its jobs."""

import json

import pytest

from pipeline.report.provenance import provenance
from pipeline.run import times
from robustinfo.evaluation.display.numbers import SPACE

DAY = 86_400.0


@pytest.fixture
def record(tmp_path, monkeypatch):
    """A function that leaves the record of a job, and what it wrote."""
    monkeypatch.chdir(tmp_path)

    def leave(stage, study, start, end):
        written = tmp_path / f"results/{study}/{stage}.csv"
        written.parent.mkdir(parents=True, exist_ok=True)
        written.touch()
        place = times.folder(stage, study, {"dataset": "digits"})
        place.mkdir(parents=True)
        content = {"start": start, "end": end, "files": {str(written): "its sha256"}}
        (place / times.FILE).write_text(json.dumps(content))
        return written

    return leave


def test_time_is_of_each_job_and_of_the_run(record):
    record("pretrain", "mine", 2 * DAY, 2 * DAY + 600)
    record("attack", "mine", 2 * DAY + 300, 2 * DAY + 900)  # five minutes beside the other
    record("report", "theirs", 9 * DAY, 10 * DAY)
    found = provenance("mine")
    assert found.computed == "1970-01-03"
    assert found.cost.replace(SPACE, " ") == "2 jobs took 20 min one by one, 15 min as they ran"


def test_what_is_gone_or_no_record_does_not_count(record):
    assert provenance("mine").computed == provenance("mine").cost == ""
    record("pretrain", "mine", 0.0, DAY)
    record("attack", "mine", 5 * DAY, 6 * DAY).unlink()
    (times.folder("verdict", "mine", {}) / "x").mkdir(parents=True)
    (times.folder("verdict", "mine", {}) / times.FILE).write_text("[1, 2]")
    assert provenance("mine").computed == "1970-01-01 to 1970-01-02"
    assert provenance("mine").cost.startswith("1 job took")
