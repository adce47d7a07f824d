"""FGVM on texts: the embedded words move along the gradient itself, a text as a whole by step_size.

Miyato et al. (2016), arXiv 1507.00677: step_size * g / |g|_2, with g the gradient of the loss by
all embeddings of a text; on words as arXiv 1801.07175 does it: see _words.py. The words that the
loss depends on most move farthest, so that fewer of them change than by the sign.
"""

from pydantic import PositiveInt
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks import _words
from robustinfo.settings import PositiveNumber, Settings

ROLE = "iterated"
READS = "texts"


class Config(Settings):
    step_size: PositiveNumber
    steps: PositiveInt


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """x: (n, length) int64 words.  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified and was correct, whatever it altered; a failure returns its x.
    """

    def step(logits: _words.Logits, t: Tensor, y: Tensor) -> Tensor:
        gradient = _words.loss_gradient(logits, t, y).flatten(1)
        return config.step_size * F.normalize(gradient).view_as(t)

    return _words.search(model, x, y, step, steps=config.steps)
