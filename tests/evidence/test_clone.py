"""A clone: an unfinished training goes on, a network is adopted, one is measured again."""

import shutil

import pytest

from pipeline.results import rows
from tests.evidence.tiny import (
    ENTROPIC,
    RECORDS,
    RESULTS,
    STANDARD,
    commit,
    evidence,
    ordered,
    record,
)

pytestmark = pytest.mark.slow


def test_an_unfinished_training_goes_on_in_a_clone_to_the_same_bits(first, clone):
    here, there = (record(one["folder"], STANDARD) for one in (first, clone))
    assert here["checkpoint"]["sha256"] == there["checkpoint"]["sha256"]
    assert "unfinished" in first["kept"]
    one, other = (rows.read(x["folder"] / RECORDS / STANDARD / "rows.csv") for x in (first, clone))
    assert ordered(one).equals(ordered(other))
    snapshots = {file.name for file in (clone["folder"] / RESULTS / STANDARD).glob("snapshots/*")}
    assert "epoch_0000.safetensors" not in snapshots  # its measures were brought along
    assert not (clone["folder"] / RECORDS / STANDARD / "unfinished").exists()


def test_an_adopted_network_is_measured_and_not_trained(first, clone):
    found = record(clone["folder"], ENTROPIC)
    assert found["training"]["commit"] == first["commit"] and found["training"]["adopted"]
    assert found["measuring"]["commit"] == first["later"]
    assert (
        f"{ENTROPIC}: retrain" not in clone["said"] and f"{ENTROPIC}: attack fgsm" in clone["said"]
    )
    assert found["checkpoint"] == record(first["folder"], ENTROPIC)["checkpoint"]


def test_a_network_of_another_defence_is_not_adopted(first, clone):
    """Nor one whose unit is finished."""
    trained = str(first["folder"] / RESULTS / ENTROPIC)
    said = evidence(
        clone["folder"], "adopt", ENTROPIC, trained, "--trained-by", "HEAD", check=False
    )
    assert "is finished or under way" in said
    aside = shutil.move(clone["folder"] / RECORDS / STANDARD, first["folder"].parent / "other")
    words = ["adopt", STANDARD, trained, "--trained-by", "HEAD"]
    said = evidence(clone["folder"], *words, check=False)
    shutil.move(aside, clone["folder"] / RECORDS / STANDARD)
    assert "is of the defence {'method': 'entropic'" in said and "Traceback" not in said


def test_a_committed_network_is_measured_again_when_asked(first, clone):
    """Where its snapshots are gone, their measures stay those that were committed."""
    folder = clone["folder"]
    shutil.rmtree(folder / ".evidence")
    before = rows.read(folder / RECORDS / STANDARD / "rows.csv")
    later = commit(folder, "the records")
    evidence(folder, "remeasure", STANDARD)
    found = record(folder, STANDARD)
    assert found["training"]["commit"] == first["commit"]
    assert found["measuring"]["commit"] == later
    assert found["measuring"]["snapshots_measured_by"] == first["commit"]
    after = rows.read(folder / RECORDS / STANDARD / "rows.csv")
    assert ordered(before).equals(ordered(after))
