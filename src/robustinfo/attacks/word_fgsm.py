"""FGSM on texts: every embedded word moves by the sign of the loss's gradient.

Goodfellow et al. (2015), arXiv 1412.6572, on words as arXiv 1801.07175 does it: see _words.py.
step_size is what every number of an embedding changes by in one step; embeddings of
text_classifier begin within 0.05. A word that has no part in the network's maxima has no gradient
and stays.
"""

from pydantic import PositiveInt
from torch import Generator, Tensor, nn

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
        return config.step_size * _words.loss_gradient(logits, t, y).sign()

    return _words.search(model, x, y, step, steps=config.steps)
