"""What trained-model stages read: the network of a checkpoint, the test images."""

from pathlib import Path
from typing import Any

import torch

from pipeline.results import sealed_text
from pipeline.run.job import Job
from robustinfo.core import checkpoint, registry
from robustinfo.core.checkpoint import Checkpoint
from robustinfo.core.errors import UserError
from robustinfo.datasets._prepared import Split, data_root, open_split
from robustinfo.datasets._validation import split_validation
from robustinfo.models._network import Network
from robustinfo.training.loop import Images


def split(job: Job, which: str) -> Split:
    """The images and labels that the stage ``prepare`` described, byte for byte."""
    manifest = sealed_text.read_json(job.file("data"))
    sha256 = manifest["splits"][which]["sha256"]
    return open_split(
        job.names["dataset"], which, job.params["dataset"], data_root(), sha256=sha256
    )


def training_images(job: Job) -> Images:
    """The first ``training_images`` of the training set; all, if that is null."""
    return first(split(job, "train"), job.params["training_images"])


def test_images(job: Job) -> Images:
    """The first ``evaluation_images`` of the test set; all, if that is null."""
    return first(split(job, "test"), job.params["evaluation_images"])


def parts(job: Job) -> tuple[Images, Images]:
    """Training images without the held-out ones, and those; the split depends on the seed alone."""
    images, labels = training_images(job)
    generator = torch.Generator().manual_seed(int(job.names["seed"]))
    split = split_validation(labels, job.params["validation_share"], generator=generator)
    one, other = (Images(images[part], labels[part]) for part in split)
    return one, other


def first(data: Split, many: int | None) -> Images:
    """The first so many of a split; None: all."""
    return Images(data.images[:many], data.labels[:many])


def asked(job: Job) -> dict[str, Any]:
    """What the study's networks are of: their architecture, and the shape and classes of its data.

    By the names that a checkpoint has for them.
    """
    manifest = sealed_text.read_json(job.file("data"))
    return {
        "architecture": job.params["model"],
        "shape": tuple(manifest["splits"]["train"]["shape"]),
        "classes": len(manifest["classes"]),
    }


def untrained(job: Job) -> Network:
    """The job's architecture for its data set, on its device, with random weights."""
    return checkpoint.build(**asked(job), device=job.device)  # type: ignore[return-value]


def opened(job: Job, file: Path) -> Checkpoint:
    """What a checkpoint or snapshot holds. Raises UserError if it is of another network or data.

    The study is what results are named by: what its file says has to agree.
    """
    found, study = checkpoint.load(file), asked(job)
    own = {name: getattr(found, name) for name in study}
    network, ours = own.pop("architecture"), study["architecture"]
    if not registry.same_settings("models", network, ours) or not own.items() <= study.items():
        raise UserError(
            f"{file} holds {checkpoint.describe(network, **own)}, and the study asks for "
            f"{checkpoint.describe(**study)}; delete it and run again, which trains it anew"
        )
    return found


def trained(job: Job, file: Path) -> Network:
    """The network of a checkpoint or snapshot, on the job's device, in eval mode."""
    return checkpoint.network(opened(job, file), job.device)  # type: ignore[return-value]
