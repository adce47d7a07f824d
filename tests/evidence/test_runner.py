"""The runner of the evidence on a tiny study in a repository of its own."""

import shutil

import pytest

from pipeline.results import rows
from tests.evidence.tiny import (
    ENTROPIC,
    RECORDS,
    STANDARD,
    STUDY,
    evidence,
    logged,
    record,
)

pytestmark = pytest.mark.slow


def test_a_killed_and_a_stopped_training_go_on_where_they_were(first):
    log = logged(first["folder"], STANDARD, "pretrain-standard-0")
    assert "epoch 1/" in log and "epoch 21/" not in log  # 21 are left at the beginning
    assert "starts again" not in log
    assert len(rows.read(first["folder"] / RECORDS / STANDARD / "rows.csv").epoch.unique()) == 22


def test_a_second_runner_is_refused_and_told_what_to_do(first):
    assert f"another runner is at work, at {STANDARD}" in first["second"]
    assert "python -m pipeline evidence stop" in first["second"]
    assert "Traceback" not in first["second"]


def test_the_status_says_what_is_at_work_and_what_is_left(first):
    at_work, waiting, left = first["status"].splitlines()
    assert at_work.startswith("at work") and at_work.endswith(STANDARD)
    assert waiting.startswith("waiting") and waiting.endswith(ENTROPIC)
    assert left.startswith("about 0.0 core hours left")


def test_a_stopped_runner_ends_well_and_without_its_programs(first):
    status, said = first["stopped"]
    assert status == 0 and "goes on where it was" in said and "stopped" in first["stop"]
    assert evidence(first["folder"], "stop") == "no runner is at work\n"


def test_a_unit_belongs_to_the_commit_at_which_it_began(first):
    standard, entropic = (record(first["folder"], one) for one in (STANDARD, ENTROPIC))
    assert {standard[half]["commit"] for half in ("training", "measuring")} == {first["commit"]}
    assert {entropic[half]["commit"] for half in ("training", "measuring")} == {first["later"]}
    pages = f"{RECORDS / 'README.md'} studies/coverage.md"
    assert f"git add {RECORDS / STANDARD} {pages} && git commit" in first["said"]
    assert all((first["folder"] / page).exists() for page in pages.split())
    assert standard["scale"] == {
        "training_images": 400, "evaluation_images": 20, "epochs": 20, "batch_size": 5,
    }  # fmt: skip


def test_the_outcomes_of_every_image_can_be_read_back(first):
    folder = first["folder"] / RECORDS / ENTROPIC
    outcomes = rows.read(folder / "outcomes.csv").set_index("entry")
    table = rows.read(folder / "rows.csv")
    clean = table[(table.entry == "clean") & (table.quantity == "accuracy")].value.item()
    assert f"{int(outcomes.correct_bits['clean'], 16):b}".count("1") == round(20 * clean)
    assert outcomes.loc["clean", "n"] == 20


def test_a_finished_unit_is_not_planned_again_but_named_where_its_meaning_changed(first):
    folder = first["folder"]
    before = (folder / RECORDS / STANDARD / "unit.json").read_bytes()
    assert evidence(folder, "run") == "every unit of the list is finished\n"
    assert (folder / RECORDS / STANDARD / "unit.json").read_bytes() == before
    page = (folder / RECORDS / "README.md").read_text().splitlines()
    standard, entropic = (
        next(one for one in page if f"[{u}]" in one) for u in (STANDARD, ENTROPIC)
    )
    assert "training: src/robustinfo/training/loop.py" in standard and entropic.endswith(
        "| nothing |"
    )


def test_an_altered_record_is_refused_by_name(first):
    file = first["folder"] / RECORDS / ENTROPIC / "outcomes.csv"
    before = file.read_bytes()
    file.write_bytes(before.replace(b"clean", b"clear"))
    said = evidence(first["folder"], "page", check=False)
    file.write_bytes(before)
    assert f"{ENTROPIC}/outcomes.csv is not as the unit was finished" in said


def test_a_unit_does_not_begin_with_a_study_that_is_not_committed(first):
    folder = first["folder"]
    study = folder / "studies/tiny.yaml"
    aside = shutil.move(folder / RECORDS / ENTROPIC, folder.parent / "aside")
    study.write_text(STUDY.replace("factor: 1.65", "factor: 1.5"))
    said = evidence(folder, "run", check=False)
    study.write_text(STUDY)
    shutil.rmtree(folder / RECORDS / ENTROPIC, ignore_errors=True)
    shutil.move(aside, folder / RECORDS / ENTROPIC)
    assert "studies/tiny.yaml is not as it was committed" in said and "Traceback" not in said
