"""Inputs of stages: the network of a checkpoint, and the images of a data set."""

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


def split(job: Job, name: str) -> Split:
    """Images and labels of a split, with the sha256 that the stage ``prepare`` recorded."""
    manifest = sealed_text.read_json(job.file("data"))
    sha256 = manifest["splits"][name]["sha256"]
    return open_split(job.names["dataset"], name, job.params["dataset"], data_root(), sha256=sha256)


def training_images(job: Job) -> Images:
    """The first ``training_images`` of the training set; all, if that is null."""
    return first_images(split(job, "train"), job.params["training_images"])


def test_images(job: Job) -> Images:
    """The first ``evaluation_images`` of the test set; all, if that is null."""
    return first_images(split(job, "test"), job.params["evaluation_images"])


def training_and_validation(job: Job) -> tuple[Images, Images]:
    """(training images, held-out validation images); the split depends on the seed alone."""
    images, labels = training_images(job)
    generator = torch.Generator().manual_seed(int(job.names["seed"]))
    split = split_validation(labels, job.params["validation_share"], generator=generator)
    training, validation = (Images(images[indices], labels[indices]) for indices in split)
    return training, validation


def first_images(data: Split, count: int | None) -> Images:
    """The first ``count`` images of a split; None: all."""
    return Images(data.images[:count], data.labels[:count])


def network_spec(job: Job) -> dict[str, Any]:
    """Architecture of the job's network, and shape and number of classes of its data.

    The keys are those of a checkpoint.
    """
    manifest = sealed_text.read_json(job.file("data"))
    return {
        "architecture": job.params["model"],
        "shape": tuple(manifest["splits"]["train"]["shape"]),
        "classes": len(manifest["classes"]),
    }


def untrained(job: Job) -> Network:
    """Network of the job's architecture for its data set, on its device, with random weights."""
    return checkpoint.build(**network_spec(job), device=job.device)  # type: ignore[return-value]


def trained_checkpoint(job: Job, file: Path) -> Checkpoint:
    """A checkpoint or snapshot. Raises UserError if its network or data are not the job's."""
    loaded, expected = checkpoint.load(file), network_spec(job)
    stated = {name: getattr(loaded, name) for name in expected}
    architecture, expected_architecture = stated.pop("architecture"), expected["architecture"]
    if (
        not registry.same_settings("models", architecture, expected_architecture)
        or not stated.items() <= expected.items()
    ):
        raise UserError(
            f"{file} holds {checkpoint.describe(architecture, **stated)}, and the study asks for "
            f"{checkpoint.describe(**expected)}; delete it and run again, which trains it anew"
        )
    return loaded


def trained(job: Job, file: Path) -> Network:
    """Network of a checkpoint or snapshot, on the job's device, in eval mode."""
    return checkpoint.network(trained_checkpoint(job, file), job.device)  # type: ignore[return-value]
