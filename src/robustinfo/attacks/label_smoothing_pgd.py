"""PGD on smoothed labels: the adaptive attack on entropy maximisation and label smoothing.

Jin et al. (2020), arXiv 2011.13538, section 5.2.2: for each gamma of ``smoothings``,
    maximise  CE(f(x'), y - gamma (y - 1/K)) over |x' - x| <= epsilon, x' in [0, 1],
with the steps and restarts of PGD. They take the gamma that does most harm to a whole test set
(diagnostics/smoothed_accuracy.py has both); here every gamma goes on with the images not broken so
far, which breaks at least as many.

The loss changes with the logits as p - y + gamma (y - 1/K): the ascent lowers classes that are less
likely than gamma / K, and so aims at fewer of them. Where the true class has more than
1 - gamma + gamma / K, it climbs into that class: a single gamma proves little.

Its role is adaptive, since an attacker who does not know the defence has gamma = 0 alone: as an
iterated attack it would hide what only such knowledge breaks. All gammas have the same
starts. Known bias: knowledge is not always needed. Of 198 images on a LeNet-5 with entropy
maximisation (MNIST, epsilon 0.1, 10 steps) it broke 117, PGD 110, with 11 restarts 112, and PGD on
the margin 117, with 5 restarts 118.
"""

from functools import partial
from typing import Annotated, Any

from pydantic import Field
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks import adaptive, pgd
from robustinfo.core.settings import Fraction01

ROLE = "adaptive"
COUNTS = ("last_step",)  # of successes, in other ways
TENTHS = tuple(tenth / 10 for tenth in range(11))


class Config(pgd.Ascent):
    # gamma, by which labels are smoothed; one run each
    smoothings: Annotated[tuple[Fraction01, ...], Field(strict=False, min_length=1)] = TENTHS


def perturb(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    config: Config,
    generator: Generator,
    term: adaptive.Term | None = None,
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    term: every adaptive attack takes it; here the smoothed labels take its place.
    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    settings: dict[str, Any] = {"config": config, "generator": generator, "term": term}
    return perturb_with_extras(model, x, y, **settings)[:2]


def perturb_with_extras(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    config: Config,
    generator: Generator,
    term: adaptive.Term | None = None,
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """``perturb``, and ``last_step``, (n,) bool: broken at the last step of a run."""
    losses = [
        partial(smoothed_cross_entropy, smoothing=smoothing) for smoothing in config.smoothings
    ]
    return pgd.search(model, x, y, losses, config=config, generator=generator)


def smoothed_cross_entropy(
    network: nn.Module, x: Tensor, y: Tensor, *, smoothing: float
) -> tuple[Tensor, Tensor]:
    """Logits (n, K), and their cross-entropy with the smoothed labels, summed over the images."""
    logits = network(x)
    return logits, F.cross_entropy(logits, y, label_smoothing=smoothing, reduction="sum")
