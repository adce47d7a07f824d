"""MART: adversarial training with more weight on images that are misclassified when clean.

Wang et al. (2020), "Improving adversarial robustness requires revisiting misclassified examples",
ICLR, algorithm 1, with their weight lambda = 5:
    minimise  BCE(f(x'), y) + lambda KL(f(x) || f(x')) (1 - p_y(x)),
    BCE(f(x'), y) = -log p_y(x') - log(1 - max_{k != y} p_k(x')),
where x' is PGD's on the cross-entropy, made in eval mode. The weight 1 - p_y(x) is differentiated
too, as in the authors' code.

The paper's PGD starts at random in the ball, as here; the code's at x + 0.001 N(0, I). And the code
takes log(1.0001 - p_k), at least -9.2, where float32 would have log 0. Here log(1 - p_k) is the
logarithm of the sum of the others, finite and exact where p_k is all but 1.
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks import pgd
from robustinfo.core.settings import Number, Outline, Settings
from robustinfo.defences._inner import adversaries
from robustinfo.maths.divergence import kl_of_softmax

READS = "images"


class Config(Settings):
    weight: Number = 5.0  # of the divergence: lambda
    attack: pgd.Config  # the inner maximisation


def outline(config: Config) -> Outline:
    """The names of its rows.

    adversarial  the boosted cross-entropy on the adversarial images
    divergence  how far the answers differ, where the clean one is wrong the most, by its weight
    """
    return [
        {
            "quantity": (
                "adversarial",
                "divergence",
            )
        }
    ]


def loss_terms(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> dict[str, Tensor]:
    """The loss terms, scalars in nats.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    x_adv = adversaries(model, x, y, config=config, generator=generator)
    return terms_on(model, x, x_adv, y, config=config)


def terms_on(
    forward: Callable[[Tensor], Tensor], x: Tensor, x_adv: Tensor, y: Tensor, *, config: Config
) -> dict[str, Tensor]:
    """The loss terms of given adversarial images.  forward: images -> logits (n, K)."""
    logits, adversarial_logits = forward(x), forward(x_adv)
    log_p_true = F.log_softmax(logits.float(), dim=1).gather(1, y[:, None]).squeeze(1)
    error_probability = -log_p_true.expm1()  # 1 - p_y(x)
    divergence = (error_probability * kl_of_softmax(logits, adversarial_logits)).mean()
    return {
        "adversarial": boosted_cross_entropy(adversarial_logits, y),
        "divergence": config.weight * divergence,
    }


def boosted_cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """BCE, averaged over the batch: a scalar in nats.  logits: (n, K).  y: (n,) labels."""
    log_p = F.log_softmax(logits.float(), dim=1)
    best_wrong = log_p.scatter(1, y[:, None], -torch.inf).argmax(1, keepdim=True)
    log_others = log_p.scatter(1, best_wrong, -torch.inf).logsumexp(1)
    return F.nll_loss(log_p, y) - log_others.mean()
