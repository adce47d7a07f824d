"""What an interrupted training left, so that it goes on to the bits it would have come to.

The state waits in .../.training/ beside the snapshots that were made so far. It is sealed, and it
names the training that it is of: the parameters, the code, the files read, the device. One that is
altered, cut, of another training, or short of a snapshot is thrown away, which a line says.
"""

import hashlib
import io
import json
import logging
import shutil
from pathlib import Path

import torch

from pipeline.run.device import describe
from pipeline.run.job import Job
from robustinfo.core.files import AlteredFileError, disk_errors
from robustinfo.core.sealed import seal, stated_sha256, unseal

log = logging.getLogger(__name__)

_STATE = "state.safetensors"
_TRAINING, _EPOCHS = "training", "snapshots"  # the keys of its description


def identity(job: Job) -> str:
    """The sha256 of all that a training's bits depend on."""
    sha = hashlib.sha256(
        json.dumps(
            [
                job.stage,
                job.names,
                job.params,
                describe(job.device),
                job.code(),
            ],
            sort_keys=True,
        ).encode()
    )
    for file in (one.path for files in job.reads.values() for one in files):
        sha.update(_content(file).encode())
    return sha.hexdigest()


def workspace(job: Job) -> Path:
    """The folder that an unfinished training has beside its results."""
    return job.writes["model"].parent / ".training"


def snapshot(work: Path, epoch: int) -> Path:
    """Where the weights after an epoch wait."""
    return work / f"snapshots/epoch_{epoch:04}.safetensors"


def keep(work: Path, training: str, state: dict, epochs: list[int]) -> None:
    """Seal the state. training: its identity. epochs: those that have a snapshot, so far."""
    # torch's own format keeps every type of a state; sealed bytes are known before they are parsed.
    content = io.BytesIO()
    torch.save(state, content)
    tensor = torch.frombuffer(content.getbuffer(), dtype=torch.uint8)
    seal(work / _STATE, {"state": tensor}, {_TRAINING: training, _EPOCHS: json.dumps(epochs)})


def left(work: Path, training: str) -> tuple[dict | None, list[int]]:
    """The state to go on from and the epochs of its snapshots; None if there is none to be used.

    The folder then is new and empty.
    """
    if (work / _STATE).exists():
        try:
            return _read(work, training)
        except AlteredFileError as error:
            why = str(error).partition(";")[0]  # what is to be done about it is done here
            log.warning("%s; the training starts again from its beginning", why)
    with disk_errors(work):
        if work.exists():
            shutil.rmtree(work)
        work.mkdir(parents=True)
    return None, []


def leave(work: Path, file: Path) -> list[int]:
    """Copy the state to go on from without its snapshots; the epochs of those, so far.

    Whoever goes on there makes the later ones only.
    """
    tensors, about = unseal(work / _STATE)
    seal(file, tensors, about | {_EPOCHS: "[]"})
    return json.loads(about[_EPOCHS])


def discard(work: Path) -> None:
    """Remove the folder; the state first: without it, what else is left means nothing."""
    with disk_errors(work):
        (work / _STATE).unlink()
        shutil.rmtree(work)


def _content(file: Path) -> str:
    """The sha256 of what it holds. A checkpoint's own is checked where its network is loaded."""
    if file.suffix == ".safetensors":
        return stated_sha256(file)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _read(work: Path, training: str) -> tuple[dict, list[int]]:
    tensors, about = unseal(work / _STATE)
    if about.get(_TRAINING) != training:
        raise AlteredFileError(f"{work / _STATE} is of a training with other settings or code")
    epochs = json.loads(about[_EPOCHS])
    for epoch in epochs:
        unseal(snapshot(work, epoch))
    content = io.BytesIO(tensors["state"].numpy().data)
    return torch.load(content, weights_only=True), epochs
