"""DeepFool on texts: the embedded words move to the nearest boundary of the linearised classifier.

Moosavi-Dezfooli et al. (2016), arXiv 1511.04599, in l2 over all embeddings of a text: with f the
logits, and k the class other than y that minimises |f_k - f_y| / |grad (f_k - f_y)|,
    move by  (1 + overshoot) |f_k - f_y| / |grad (f_k - f_y)|^2  grad (f_k - f_y).
On words as arXiv 1801.07175 does it: see _words.py. Going back to words undoes small moves, and a
text counts by its words; steps therefore go on beyond the boundary, each about 2 + overshoot times
as far from it as the one before. arXiv 1801.07175 has overshoots of 20 to 60 in a single step.
"""

import torch
from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks import _words
from robustinfo.core.settings import Number, Settings

ROLE = "iterated"
READS = "texts"


class Config(Settings):
    steps: PositiveInt
    overshoot: Number = 1.0  # share of the step that is added


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, length) int64 words.  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified and was correct, whatever it altered; a failure returns its x.
    """

    def step(logits: _words.Logits, t: Tensor, y: Tensor) -> Tensor:
        return (1 + config.overshoot) * to_boundary(logits, t, y)

    return _words.search(model, x, y, step, steps=config.steps)


def to_boundary(logits: _words.Logits, t: Tensor, y: Tensor) -> Tensor:
    """The step of each text to the nearest boundary; 0 where no class has a gradient. Like t."""
    t = t.detach().requires_grad_()
    values = logits(t)
    lead = values - values.gather(1, y[:, None])  # (n, K), of each class over the true one
    gradients = torch.stack(
        [torch.autograd.grad(one.sum(), t, retain_graph=True)[0] for one in lead.unbind(1)], 1
    ).flatten(2)  # (n, K, length d)
    steepness = gradients.norm(dim=2)
    # The true class itself has no steepness, and is as far as a class without a gradient.
    distance = (lead.detach().abs() / steepness).masked_fill(steepness == 0, torch.inf)
    least, k = distance.min(1)
    chosen = torch.arange(len(y), device=y.device)
    move = gradients[chosen, k] * (least / steepness[chosen, k])[:, None]
    return torch.where(least.isfinite()[:, None], move, 0).view_as(t)
