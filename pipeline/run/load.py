"""What trained-model stages read: the network of a checkpoint, the test images."""

from pathlib import Path

import torch

from pipeline.results import sealed_text
from pipeline.run.job import Job
from robustinfo.core import registry
from robustinfo.core.sealed import WEIGHTS, unseal
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


def untrained(job: Job) -> Network:
    """The job's architecture for its data set, on its device, with random weights."""
    manifest = sealed_text.read_json(job.file("data"))
    shape = tuple(manifest["splits"]["train"]["shape"])
    model = registry.get("models", job.params["model"])(shape, len(manifest["classes"]))
    return model.to(job.device, memory_format=torch.channels_last)  # convolutions like it, CPU too


def trained(job: Job, file: Path) -> Network:
    """The network of a checkpoint or snapshot, on the job's device, in eval mode."""
    tensors, _ = unseal(file)
    model = untrained(job)
    model.load_state_dict(
        {name.removeprefix(WEIGHTS): t for name, t in tensors.items() if name.startswith(WEIGHTS)}
    )
    return model.eval()
