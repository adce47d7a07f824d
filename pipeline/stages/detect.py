"""Stage detect: every complexity as a detector of one attack, by the size of its perturbation.

writes  .../detection/{detection}.csv  per level of the attack's ``sweep``, mostly its epsilon:
        attack_success_rate_8bit, median_linf, median_l2 and median_l1 of the images that are
        measured; and per complexity (entry) their mean, the mean of the same images clean
        (clean_mean), and ``auc``

"One Bit Matters", arXiv 1810.09650, proposes complexity as a prefilter (section 5) and prints no
epsilon: the size of its perturbations can only be inferred from their complexity, beside ours at
every level. A minimum-norm attack has no epsilon; it is swept over a setting that enlarges its
perturbation.

Images are rounded to 8 bits, and only those that still fool the network then are measured. Of
noise, which is no attack, all images are measured.
"""

from collections.abc import Callable, Iterator
from typing import get_args

import torch
from torch import Tensor

from pipeline.results import rows
from pipeline.results.layer_pass import adversarial_inputs
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.stages._attack_examples import examples, network_and_term
from pipeline.stages._compare_complexities import compare_complexities, measures_of
from pipeline.study.quantities import DETECTION_SIZES
from robustinfo.core import registry
from robustinfo.core.batches import to_float
from robustinfo.core.measurement import Measurement, count_fraction
from robustinfo.core.settings import Entry, Norm
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


def run(job: Job) -> None:
    """Attack the test images at every level, with the same random numbers, and measure them."""
    images, labels = load.test_images(job)
    (model, term), measures = network_and_term(job), measures_of(job)
    clean = {name: measure(images) for name, measure in measures.items()}
    state, measurements = job.generator.get_state(), []
    for level, entry in registry.sweep(job.params["detection"]):
        job.generator.set_state(state)
        stored = examples(job, model, term, entry, images, labels)
        success, clean_correct = stored["success_8bit"], int(stored["correct"].sum())
        measurements.append(
            count_fraction(DETECTION_SIZES[0], int(success.sum()), clean_correct)._replace(
                level=level
            )
        )
        chosen, attacked_images = _measured_images(job, model, entry, images, labels, stored)
        if len(chosen):
            level_measurements = (
                *_sizes(images[chosen], attacked_images),
                *_complexities(measures, clean, chosen, attacked_images),
            )
            measurements += [one._replace(level=level) for one in level_measurements]
    named_measurements = (one._replace(input=job.names["detection"]) for one in measurements)
    rows.write(job.writes["detected"], rows.from_measurements("detect", named_measurements))


def _measured_images(
    job: Job,
    model: Network,
    entry: Entry,
    images: Tensor,
    labels: Tensor,
    stored: dict[str, Tensor],
) -> tuple[Tensor, Tensor]:
    """(indices (m,) of the measured images, these images attacked, (m, c, h, w) uint8)."""
    if registry.module("attacks", entry).ROLE != "noise":
        chosen = stored["success_8bit"].nonzero().squeeze(1)
        return chosen, to_bytes(stored["x_adv"][chosen])
    x, y = to_float(images, job.device), labels.to(job.device)
    noisy = adversarial_inputs(model, entry, x, y, generator=job.generator)
    return torch.arange(len(images)), to_bytes(noisy).cpu()


def _sizes(clean: Tensor, attacked_images: Tensor) -> Iterator[Measurement]:
    """Median distances of uint8 images (m, c, h, w), before and after the attack."""
    like = torch.empty(0, dtype=torch.float64)
    delta = from_bytes(attacked_images, like=like) - from_bytes(clean, like=like)
    for norm in get_args(Norm):
        median = distance(delta, norm).median().item()
        yield Measurement(f"median_{norm}", median, n=len(attacked_images))


def _complexities(
    measures: dict[str, Callable], clean: dict[str, Tensor], chosen: Tensor, attacked_images: Tensor
) -> Iterator[Measurement]:
    for name, measure in measures.items():
        for measurement in compare_complexities(measure(attacked_images), clean[name][chosen]):
            yield measurement._replace(entry=name)
