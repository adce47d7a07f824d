"""An interrupted training: it goes on to the same bits, or starts again and says so."""

import errno
import logging
import shutil
from pathlib import Path

import pytest
import torch

from pipeline.results import rows, sealed_text
from pipeline.run import load, resuming
from pipeline.stages import _training, pretrain
from robustinfo.core.files import DiskError
from robustinfo.core.sealed import seal
from robustinfo.training.loop import Images
from tests.jobs import NAMES, made, settle, small

STATE = "state.safetensors"
TRAINING = {"epochs": 3, "batch_size": 8, "learning_rate": 0.01, "snapshot_every": 1}
TRAINING |= {"augmentation": {"shift": 1}}
MANIFEST = {"classes": [*"0123456789"], "splits": {"train": {"shape": [1, 28, 28]}}}


def job(**training):
    one = made(small(pretrain={"x": TRAINING | training}), "pretrain", **NAMES)
    one.device = torch.device("cpu")
    return one


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A study of a few random images; its code is that of this checkout."""
    settle(tmp_path, monkeypatch)
    images = torch.randint(256, (30, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    data = Images(images.byte(), torch.arange(30) % 10)
    monkeypatch.setattr(
        load, "training_and_validation", lambda job: (data, Images(*(one[:8] for one in data)))
    )
    sealed_text.write_json(job().file("data"), MANIFEST)
    return tmp_path


def outputs():
    """The bytes of everything that a training leaves."""
    run = job().writes["model"].parent
    assert not resuming.workspace(job()).exists()
    return {str(file.relative_to(run)): file.read_bytes() for file in run.rglob("*.*")}


def interrupt(after=1, **training):
    """Train, and end right after the state of an epoch was kept; where that is."""
    real = _training.resuming.save_state

    def save_then_interrupt(work, identity, state, epochs):
        real(work, identity, state, epochs)
        if state["epoch"] == after:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(_training.resuming, "save_state", save_then_interrupt)
        pretrain.run(job(**training))
    return resuming.workspace(job())


@pytest.fixture
def whole():
    """What a training that nothing interrupted leaves; it is gone."""
    pretrain.run(job())
    found = outputs()
    assert len(found) == 6 and len(rows.read(job().writes["history"])) == 1 + 3 * 4
    for name in found:
        (job().writes["model"].parent / name).unlink()
    return found


def spoken(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("after", range(4))
def test_a_training_interrupted_after_any_epoch_leaves_the_same_bytes(whole, caplog, after):
    interrupt(after)
    pretrain.run(job())
    assert outputs() == whole and not spoken(caplog)


def truncate(state):
    state.write_bytes(state.read_bytes()[:-100])


def empty(state):
    state.write_bytes(b"")


def flip(state):
    content = bytearray(state.read_bytes())
    content[-9] ^= 1
    state.write_bytes(content)


def of_torch(state):
    torch.save({"epoch": 1}, state)


def of_another(state):
    seal(state, {"state": torch.zeros(3)}, {"training": "of another", "snapshots": "[]"})


def lose_a_snapshot(state):
    (state.parent / "snapshots/epoch_0001.safetensors").unlink()


def alter_a_snapshot(state):
    flip(state.parent / "snapshots/epoch_0000.safetensors")


@pytest.mark.parametrize(
    "harm", [truncate, empty, flip, of_torch, of_another, lose_a_snapshot, alter_a_snapshot]
)
def test_what_cannot_be_gone_on_from_is_begun_again_and_a_line_says_so(whole, caplog, harm):
    harm(interrupt() / STATE)
    pretrain.run(job())
    assert outputs() == whole
    (line,) = spoken(caplog)
    assert line.endswith("starts again from its beginning") and "\n" not in line


@pytest.mark.parametrize("other", [{"learning_rate": 0.02}, {"epochs": 4}, {"batch_size": 9}])
def test_a_state_of_other_settings_is_not_gone_on_from(whole, caplog, other):
    interrupt(2, **other)
    pretrain.run(job())
    assert outputs() == whole
    assert f"{STATE} is of a training with other settings or code" in spoken(caplog)[0]


def test_a_full_disk_costs_an_error_of_one_line_and_no_state(whole, caplog, monkeypatch):
    interrupt()
    real = Path.open

    def full(path, mode="r", **settings):
        file = real(path, mode, **settings)
        if STATE in path.name and mode == "wb":
            file.write(bytes(1000))
            file.close()
            return real(Path("/dev/full"), mode, buffering=0)
        return file

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(DiskError, match=rf"{STATE}: .*No space left.*free the disk") as error:
            pretrain.run(job())
    assert "\n" not in str(error.value)
    pretrain.run(job())
    assert outputs() == whole and not spoken(caplog)


@pytest.mark.parametrize("refused", ["mkdir", "copyfile"])
def test_a_disk_that_refuses_a_folder_or_a_copy_costs_an_error_of_one_line(monkeypatch, refused):
    def read_only(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr({"mkdir": Path, "copyfile": shutil}[refused], refused, read_only)
    with pytest.raises(DiskError, match=r"cannot write .*Read-only file system"):
        pretrain.run(job())
