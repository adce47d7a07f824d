"""State of an unfinished training, from which it resumes to the same bits.

The state is stored in .../.training/ beside the snapshots that were made so far. It is sealed, and
holds the identity of its training: parameters, code, files read, device. A state that is altered,
cut off, of another training, or lacks a snapshot is discarded with a warning.
"""

import hashlib
import io
import json
import logging
import shutil
from pathlib import Path

import torch

from pipeline.run.device import describe
from pipeline.run.digest import sha256
from pipeline.run.job import Job
from robustinfo.core.files import AlteredFileError, disk_errors
from robustinfo.core.sealed import seal, stated_sha256, unseal

log = logging.getLogger(__name__)

_STATE = "state.safetensors"
_TRAINING, _EPOCHS = "training", "snapshots"  # the keys of its description


def identity(job: Job) -> str:
    """sha256 of everything that a training's bits depend on."""
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
        sha.update(_content_sha256(file).encode())
    return sha.hexdigest()


def workspace(job: Job) -> Path:
    """Folder of an unfinished training, beside its results."""
    return job.writes["model"].parent / ".training"


def snapshot(work: Path, epoch: int) -> Path:
    """Path of the snapshot of an epoch in the folder of an unfinished training."""
    return work / f"snapshots/epoch_{epoch:04}.safetensors"


def save_state(work: Path, training: str, state: dict, epochs: list[int]) -> None:
    """Write the state. training: its identity. epochs: those that have a snapshot so far."""
    # torch's own format keeps every type of a state; sealed bytes are known before they are parsed.
    content = io.BytesIO()
    torch.save(state, content)
    tensor = torch.frombuffer(content.getbuffer(), dtype=torch.uint8)
    seal(work / _STATE, {"state": tensor}, {_TRAINING: training, _EPOCHS: json.dumps(epochs)})


def resume(work: Path, training: str) -> tuple[dict | None, list[int]]:
    """(state to resume from, epochs of its snapshots); (None, []) if there is no usable state.

    The folder is then emptied.
    """
    if (work / _STATE).exists():
        try:
            return _load_state(work, training)
        except AlteredFileError as error:
            why = str(error).partition(";")[0]  # what is to be done about it is done here
            log.warning("%s; the training starts again from its beginning", why)
    with disk_errors(work):
        if work.exists():
            shutil.rmtree(work)
        work.mkdir(parents=True)
    return None, []


def export_state(work: Path, file: Path) -> list[int]:
    """Copy the state without its snapshots to a file, and return the epochs of those snapshots.

    A training that resumes from the copy makes the later snapshots only.
    """
    tensors, metadata = unseal(work / _STATE)
    seal(file, tensors, metadata | {_EPOCHS: "[]"})
    return json.loads(metadata[_EPOCHS])


def discard(work: Path) -> None:
    """Remove the folder; the state first: without it, the rest is ignored."""
    with disk_errors(work):
        (work / _STATE).unlink()
        shutil.rmtree(work)


def _content_sha256(file: Path) -> str:
    """sha256 of a file's content; of a checkpoint, the stated one, which is checked on loading."""
    if file.suffix == ".safetensors":
        return stated_sha256(file)
    return sha256(file)


def _load_state(work: Path, training: str) -> tuple[dict, list[int]]:
    tensors, metadata = unseal(work / _STATE)
    if metadata.get(_TRAINING) != training:
        raise AlteredFileError(f"{work / _STATE} is of a training with other settings or code")
    epochs = json.loads(metadata[_EPOCHS])
    for epoch in epochs:
        unseal(snapshot(work, epoch))
    content = io.BytesIO(tensors["state"].numpy().data)
    return torch.load(content, weights_only=True), epochs
