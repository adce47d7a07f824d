"""Held-out training images under an attack, of the stages that choose by them."""

from pathlib import Path

import torch
from torch import Tensor

from pipeline.run import load
from pipeline.run.job import Job
from robustinfo.core import registry
from robustinfo.core.batches import EVALUATION_BATCH, batches, correct
from robustinfo.training.loop import Images


def under_attack(job: Job, network: Path, held_out: Images) -> tuple[Tensor, Tensor]:
    """Masks (n,) of the images: correct when clean, and under the job's attack, too."""
    model = load.trained(job, network)
    perturb = registry.get("attacks", job.params["attack"])
    clean_correct, resists = [], []
    for x, y in batches(*held_out, EVALUATION_BATCH, job.device):
        is_correct = correct(model, x, y)
        _, success = perturb(model, x, y, generator=job.generator)
        clean_correct.append(is_correct)
        resists.append(is_correct & ~success)
    return torch.cat(clean_correct), torch.cat(resists)
