"""Stage detect: how well every complexity detects one attack, by the size of what it does.

writes  .../detection/{detection}.csv  per level of the attack's ``sweep``, mostly its epsilon:
        attack_success_rate_8bit, median_l2 and median_linf of the images that are measured; and per
        complexity (entry) their mean, the mean of the same images clean (clean_mean), and ``auc``

"One Bit Matters", arXiv 1810.09650, proposes complexity as a prefilter (section 5) and prints no
epsilon: of what size its images are, only their complexity tells, beside ours at every level. An
attack that looks for the least distance has no epsilon; it is swept over what makes it go further.

Images are rounded to 8 bits, and only those that still fool the network then are measured. Of
noise, which is no attack, all are: what is complex without any intent.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from pipeline.results import rows
from pipeline.results.layer_pass import crafted
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.stages._attacked import attacked, examples
from pipeline.stages._compared import compared, measures_of
from pipeline.study.quantities import SIZES
from robustinfo.core import registry
from robustinfo.core.batches import to_float
from robustinfo.core.measurement import Measurement, count_fraction
from robustinfo.core.settings import Entry
from robustinfo.distortions.eight_bit import from_bytes, to_bytes
from robustinfo.maths.balls import distance
from robustinfo.models._network import Network

JOBS = {"setting": "settings", "defence": "defences", "seed": "seeds", "detection": "detection"}
READS = ["data", "model"]
WRITES = {"detected": "{dataset}/{model}/{defence}/{seed}/detection/{detection}.csv"}
PARAMS = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "defence": "defences.{defence}",
    "evaluation_images": "evaluation_images",
    "complexities": "complexities",
    "detection": "detection.{detection}",
}
DEVICE = "gpu"

NORMS = ("l2", "linf")


def run(job: Job) -> None:
    """Attack the test images at every level, with the same random numbers, and measure them."""
    images, labels = load.test_images(job)
    (model, term), measures = attacked(job), measures_of(job)
    clean = {name: measure(images) for name, measure in measures.items()}
    state, found = job.generator.get_state(), []
    for level, entry in registry.sweep(job.params["detection"]):
        job.generator.set_state(state)
        told = examples(job, model, term, entry, images, labels)
        success, right = told["success_8bit"], int(told["correct"].sum())
        found.append(count_fraction(SIZES[0], int(success.sum()), right)._replace(level=level))
        chosen, made = _measured(job, model, entry, images, labels, told)
        if len(chosen):
            rest = (*_sizes(images[chosen], made), *_complexities(measures, clean, chosen, made))
            found += [one._replace(level=level) for one in rest]
    own = (one._replace(input=job.names["detection"]) for one in found)
    rows.write(job.writes["detected"], rows.of("detect", own))


def _measured(
    job: Job,
    model: Network,
    entry: Entry,
    images: Tensor,
    labels: Tensor,
    told: dict[str, Tensor],
) -> tuple[Tensor, Tensor]:
    """The places of the images that are measured, and what was made of them, (m, c, h, w) uint8."""
    if registry.module("attacks", entry).ROLE != "noise":
        chosen = told["success_8bit"].nonzero().squeeze(1)
        return chosen, to_bytes(told["x_adv"][chosen])
    x, y = to_float(images, job.device), labels.to(job.device)
    noisy = crafted(model, entry, x, y, generator=job.generator)
    return torch.arange(len(images)), to_bytes(noisy).cpu()


def _sizes(clean: Tensor, made: Tensor) -> Iterator[Measurement]:
    """Of uint8 images (m, c, h, w), before and after."""
    like = torch.empty(0, dtype=torch.float64)
    delta = from_bytes(made, like=like) - from_bytes(clean, like=like)
    for norm in NORMS:
        median = distance(delta, norm).median().item()
        yield Measurement(f"median_{norm}", median, n=len(made))


def _complexities(
    measures: dict[str, Callable], clean: dict[str, Tensor], chosen: Tensor, made: Tensor
) -> Iterator[Measurement]:
    for name, measure in measures.items():
        for one in compared(measure(made), clean[name][chosen]):
            yield one._replace(entry=name)
