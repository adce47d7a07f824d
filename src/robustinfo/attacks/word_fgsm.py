"""Steps along the gradient on texts: FGSM moves every embedded word, FGVM those that matter.

With g the gradient of the loss by all embeddings of a text, and ``norm``
    linf: step_size * sign(g)    FGSM, Goodfellow et al. (2015), arXiv 1412.6572
    l2:   step_size * g / |g|_2  FGVM, Miyato et al. (2016), arXiv 1507.00677
on words as arXiv 1801.07175 does it: see _words.py. By the sign, every number of an embedding
changes by step_size; embeddings of text_classifier begin within 0.05. In l2, the words that the
loss depends on most move farthest, so that fewer of them change. A word that has no part in the
network's maxima has no gradient and stays.
"""

from typing import Literal

from pydantic import PositiveInt
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks import _words
from robustinfo.core.settings import PositiveNumber, Settings

ROLE = "iterated"
READS = "texts"


class Config(Settings):
    norm: Literal["linf", "l2"] = "linf"
    step_size: PositiveNumber
    steps: PositiveInt


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, length) int64 words.  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified and was correct, whatever it altered; a failure returns its x.
    """

    def step(logits: _words.Logits, t: Tensor, y: Tensor) -> Tensor:
        gradient = _words.loss_gradient(logits, t, y)
        if config.norm == "linf":
            return config.step_size * gradient.sign()
        return config.step_size * F.normalize(gradient.flatten(1)).view_as(t)

    return _words.search(model, x, y, step, steps=config.steps)
