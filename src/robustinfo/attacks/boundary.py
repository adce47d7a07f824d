"""Boundary attack: a random walk along the decision boundary that asks for the label alone.

Brendel et al. (2018), arXiv 1712.04248, as in foolbox, whose authors are the paper's. From an
adversarial image, every step goes ``spherical_step`` of the distance to x in a random direction,
then ``source_step`` of it towards x, and is undone unless that fools. The sizes adapt to each
image. Every ``adapt_every`` steps it is noted whether both fooled, and whether the first half did:
at 100 notes both sizes grow if the first half fooled in more than a half, and shrink below a fifth;
at 30 the second size grows if both fooled in more than a quarter, and shrinks below a tenth. Where
a walk begins, and that it may end 0.1 % back, is in _decision_based.py.

Known bias: slow. On a trained LeNet-5 (50 images of MNIST) the median l2 distance was 7.8 after
1,000 steps, 2.17 after 5,000 and 1.31 after 25,000, where Carlini and Wagner's attack finds 1.18;
with ``adapt_every`` 1, which asks for almost twice as many labels, 3.4, 1.53 and 1.27. foolbox
draws one direction a step for all images of a batch.
"""

from typing import Annotated, Literal

import foolbox.attacks as fa
from pydantic import Field, PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks._decision_based import run_from_starts
from robustinfo.core.settings import Pixels, PositiveNumber, Settings

ROLE = "black_box"
DECISION_BASED = True


class Config(Settings):
    norm: Literal["l2"] = "l2"
    epsilon: Pixels | None = None  # None: any perturbation counts
    steps: PositiveInt = 25_000
    spherical_step: PositiveNumber = 0.01  # along the sphere around the image, first
    source_step: PositiveNumber = 0.01  # towards the image, first
    # factor by which both grow or shrink
    step_adaptation: Annotated[float, Field(gt=1, allow_inf_nan=False)] = 1.5
    adapt_every: PositiveInt = 10  # steps between two adaptations


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon if there is one; a failure
    returns its x. Where all images and noise are of one class, there is no start and no success.
    """
    attack = fa.BoundaryAttack(
        steps=config.steps,
        spherical_step=config.spherical_step,
        source_step=config.source_step,
        step_adaptation=config.step_adaptation,
        update_stats_every_k=config.adapt_every,
    )
    return run_from_starts(
        attack, model, x, y, norm=config.norm, epsilon=config.epsilon, generator=generator
    )
