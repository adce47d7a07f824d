"""Detector-aware PGD: fool the network, and keep the images simple enough for a detector.

For detectors that take complex images for adversarial, as "One Bit Matters", arXiv 1810.09650,
section 5, proposes. Like Carlini and Wagner (2017), arXiv 1705.07263, it puts the detector into the
loss, and like Bryniarski et al. (2021), arXiv 2106.15023, it serves one end at a time:
    maximise  -m(x') where m(x') > 0, else -C(x'),   m = f_y - max_{i != y} f_i + confidence,
over |x' - x| <= epsilon, x' in [0, 1], where C is the differentiable ``surrogate`` of a complexity.
A weighted sum of both would hang on the weight: PGD takes only the sign of their gradient.
"""

from functools import partial

import torch
from pydantic import field_validator
from torch import Generator, Tensor, nn

from robustinfo.attacks import pgd
from robustinfo.core import registry
from robustinfo.core.settings import Entry, Number
from robustinfo.maths.margin import margin

ROLE = "iterated"
COUNTS = ("last_step",)  # of successes, in other ways


class Config(pgd.Ascent):
    complexity: Entry  # of complexities/, one that has a ``surrogate``
    confidence: Number  # the margin, in logits, that a step down in complexity may cost

    @field_validator("complexity")
    @classmethod
    def it_has_a_surrogate(cls, entry: Entry) -> Entry:
        """The attack minimises it by its gradient."""
        if registry.hook("complexities", entry, "surrogate") is None:
            raise ValueError(f"{entry['method']} has no `surrogate`, which the attack descends")
        return entry


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    return perturb_with_extras(model, x, y, config=config, generator=generator)[:2]


def perturb_with_extras(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """``perturb``, and ``last_step``, (n,) bool: broken at the last step of a run."""
    losses = [partial(objective, config=config)]
    return pgd.search(model, x, y, losses, config=config, generator=generator)


def objective(model: nn.Module, x: Tensor, y: Tensor, *, config: Config) -> tuple[Tensor, Tensor]:
    """Logits (n, K), and what is maximised, summed over the images, a scalar."""
    logits = model(x)
    surrogate = registry.hook("complexities", config.complexity, "surrogate")
    simple = surrogate(x, config=registry.config("complexities", config.complexity))
    lead = margin(logits, y) + config.confidence
    return logits, -torch.where(lead > 0, lead, simple).sum()
