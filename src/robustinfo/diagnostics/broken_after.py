"""The fraction of images robust against one attack that another one breaks.

Jin et al. (2020), arXiv 2011.13538, appendix C.1, table 10: of 1,000 test images of CIFAR-10, those
"where EntM, LS and ADP succeeded in defending" are searched with 10,000 random draws each; on 15 %
of them (label smoothing), 6 % (EntM and ADP), none (PAT, PAT-EntM) the search finds an adversarial
example. Success is what the paper's own evaluation calls so, PGD that is, whatever stronger attacks
would say; by which PGD is not printed, so the study names it. Both attacks stand in the study, and
only what they stored is compared: images that are misclassified when clean were never defended.

The paper draws its images; these are the first of the test set. An image counts as defended if it
is classified correctly at the last step of every run, as in the paper, where the first attack
stores that (``last_step``): an attack that counts every step, its noisy starts included, would
exclude just the images that random draws break. Known bias: a fraction of few images where the
first attack leaves few; NaN where it leaves none (n = 0).
"""

from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.core.measurement import Measurement, count_fraction
from robustinfo.core.settings import Outline, Settings

QUANTITY = "broken_after_rate"


class Config(Settings):
    examples: str  # an attack of the study: the one that breaks
    after: str  # another; the fraction is of the images that it does not break
    images: PositiveInt = 1000  # so many of the first


def outline(config: Config) -> Outline:
    """The names of its rows.

    broken_after_rate  of the images robust against ``after``, the fraction that ``examples``
        breaks
    """
    return [{"quantity": (QUANTITY,)}]


def diagnose(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    config: Config,
    generator: Generator,
    examples: dict[str, Tensor],
    after: dict[str, Tensor],
) -> list[Measurement]:
    """The fraction of the images robust against ``after`` that ``examples`` breaks; NaN of none.

    examples, after: ``correct`` (when clean) and ``success``, (n,) bool each, of the same images;
    and ``last_step``, where the attack stores it.
    """
    broken_before = after.get("last_step", after["success"])
    defended = (after["correct"] & ~broken_before)[: config.images]
    broken = defended & examples["success"][: config.images]
    return [count_fraction(QUANTITY, int(broken.sum()), int(defended.sum()))]
