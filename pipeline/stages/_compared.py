"""How complex images are that an attack made, beside the same images clean."""

from collections.abc import Callable, Iterator

from torch import Tensor

from pipeline.run.job import Job
from robustinfo.core import registry
from robustinfo.core.measurement import Measurement, mean
from robustinfo.maths.detection import auc


def measures_of(job: Job) -> dict[str, Callable]:
    """The study's complexities, by their names: (n, c, h, w) uint8, or texts, -> (n,)."""
    entries = job.params["complexities"].items()
    return {name: registry.get("complexities", entry) for name, entry in entries}


def compared(values: Tensor, clean: Tensor) -> Iterator[Measurement]:
    """(n,) of attacked images and of the same images clean: both means, and ``auc`` of two or more.

    AUC of how well a complexity detects: an adversarial image counts as the more complex.
    """
    yield mean("mean", values)
    yield mean("clean_mean", clean)
    if len(values) > 1:
        value, low, high = auc(values, clean)
        yield Measurement("auc", value, "own", len(values), low, high)
