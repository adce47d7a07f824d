"""Complexity of adversarial images beside the same images clean."""

from collections.abc import Callable, Iterator

from torch import Tensor

from pipeline.run.job import Job
from robustinfo.core import registry
from robustinfo.core.measurement import Measurement, mean
from robustinfo.maths.detection import auc


def measures_of(job: Job) -> dict[str, Callable]:
    """{name: complexity function} of the study: (n, c, h, w) uint8, or texts, -> (n,)."""
    entries = job.params["complexities"].items()
    return {name: registry.get("complexities", entry) for name, entry in entries}


def compare_complexities(values: Tensor, clean: Tensor) -> Iterator[Measurement]:
    """Means of complexities (n,) of attacked images and of the same images clean, and ``auc``.

    AUC of the complexity as a detector, of two images or more: adversarial is the higher.
    """
    yield mean("mean", values)
    yield mean("clean_mean", clean)
    if len(values) > 1:
        value, low, high = auc(values, clean)
        yield Measurement("auc", value, "own", len(values), low, high)
