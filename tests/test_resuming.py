"""The state of an unfinished training: whose it is, and whether it is as it was written."""

import logging
import random
import shutil
from pathlib import Path

import pytest
import torch

from pipeline.run import code, resuming
from tests.jobs import NAMES, made, small

STATE = {"epoch": 1, "model": {"w": torch.rand(40)}, "history": [{"loss": 0.5}]}


@pytest.fixture
def kept(tmp_path):
    """A folder with a state, and its file."""
    resuming.save_state(tmp_path / "work", "mine", STATE, [])
    return tmp_path / "work/state.safetensors"


def spoken(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_state_comes_back_with_every_type_that_it_had(kept, caplog):
    found, epochs = resuming.resume(kept.parent, "mine")
    assert found["model"]["w"].equal(STATE["model"]["w"]) and epochs == []
    assert found | {"model": None} == STATE | {"model": None} and not spoken(caplog)


def test_a_flipped_bit_anywhere_in_a_state_is_noticed(kept, caplog):
    content = kept.read_bytes()
    for place in random.Random(0).sample(range(8 * len(content)), 200):
        altered = bytearray(content)
        altered[place // 8] ^= 1 << place % 8
        kept.write_bytes(altered)
        assert resuming.resume(kept.parent, "mine") == (None, [])
    assert len(spoken(caplog)) == 200


def test_a_state_of_another_training_is_thrown_away_and_a_line_says_so(kept, caplog):
    assert resuming.resume(kept.parent, "other") == (None, [])
    (line,) = spoken(caplog)
    assert "is of a training with other settings or code; the training starts again" in line
    assert not [*kept.parent.iterdir()]


def test_where_nothing_was_left_nothing_is_said(tmp_path, caplog):
    (tmp_path / "work").mkdir()
    (tmp_path / "work/state.pt").write_bytes(b"of an earlier version")
    assert resuming.resume(tmp_path / "work", "mine") == (None, [])
    assert not [*(tmp_path / "work").iterdir()] and not spoken(caplog)


def test_the_identity_is_of_all_that_the_bits_depend_on(tmp_path, monkeypatch):
    shutil.copytree("src", tmp_path / "src")
    shutil.copytree("pipeline", tmp_path / "pipeline")
    monkeypatch.chdir(tmp_path)

    def identity(stage="pretrain", seed="0", **training):
        trained = {"pretrain": {}, stage: {"x": {"epochs": 2} | training}}
        study = small(seeds=[0, 1], **trained, retrain_from="y")
        job = made(study, stage, **NAMES | {"seed": seed})
        job.device = torch.device("cpu")
        return resuming.identity(job)

    described = made(small(), "pretrain", **NAMES).file("data")
    described.parent.mkdir(parents=True)
    described.write_text("data")
    found = {identity(), identity("retrain"), identity(seed="1"), identity(epochs=3)}
    assert identity() in found and len(found) == 4
    described.write_text("other data")
    found.add(identity())
    Path("pipeline/stages/pretrain.py").write_text("ANOTHER = 'program'\n")
    for remembered in (code.closure, code._imports, code._file_meaning):
        remembered.cache_clear()  # as in another process
    found.add(identity())
    assert len(found) == 6
