"""ADP, adaptive diversity promoting: an ensemble whose members disagree about the wrong classes.

Pang et al. (2019), arXiv 1901.08846, with their alpha = 2 and beta = 0.5:
    minimise  sum_k L(f_k(x), y) - alpha H(mean_k p_k) - beta log det(M M^T + 1e-6 I),
f_k the members' logits, p_k their probabilities, and the rows of M the members' probabilities of
all classes but y, each scaled to length 1. Logarithms are natural, and all is averaged over the
batch, as in the authors' code. With both weights 0 the members are trained side by side, each by
its own loss; the mean alone is trained by ``standard``.

The authors' code cuts probabilities at 1e-7 in L, adds 1e-20 to those in H, and has 0 / 0 in M
where a member leaves nothing to the wrong classes. Here M is computed from the logits of the wrong
classes, on which alone it depends, and every term is finite for finite logits.

Known bias: there are no more orthogonal rows than wrong classes. Every member beyond that takes
about log 1e-6 = -13.8 off the determinant's logarithm, whatever it says.
"""

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from robustinfo.core import registry
from robustinfo.core.settings import Entry, Number, Outline, Settings
from robustinfo.models._network import Network
from robustinfo.models.ensemble import member_logits

OFFSET = 1e-6  # on the diagonal of M M^T


class Config(Settings):
    loss: Entry  # of losses/, of every member
    entropy: Number = 2.0  # weight of the entropy: alpha
    diversity: Number = 0.5  # weight of the diversity: beta


def outline(config: Config) -> Outline:
    """The names of its rows.

    clean  the loss on the clean images, of all members
    entropy  the entropy of the mean prediction, by its weight; it is maximised
    diversity  the log-volume of the members' wrong-class predictions, by its weight; maximised
    """
    return [
        {
            "quantity": (
                "clean",
                "entropy",
                "diversity",
            )
        }
    ]


def loss_terms(
    model: Network, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> dict[str, Tensor]:
    """The loss terms, scalars in nats.  x: (n, c, h, w) in [0, 1].  y: (n,) labels.

    Raises UserError if the model is no ensemble.
    """
    loss = registry.get("losses", config.loss)
    prediction, logits = member_logits(model, x)
    return {
        "clean": torch.stack([loss(one, y) for one in logits.unbind(1)]).sum(),
        "entropy": -config.entropy * entropy(prediction).mean(),
        "diversity": -config.diversity * log_determinant(logits, y).mean(),
    }


def attack_term(
    model: Network, x: Tensor, y: Tensor, *, config: Config, state: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """The ensemble's logits (n, K), and both weighted terms, summed over the images.

    An adaptive attack maximises the terms beside the cross-entropy of the ensemble.
    """
    prediction, logits = member_logits(model, x)
    term = config.entropy * entropy(prediction) + config.diversity * log_determinant(logits, y)
    return prediction, -term.sum()


def entropy(log_p: Tensor) -> Tensor:
    """The Shannon entropy of each row of log-probabilities, all finite: (n, K) -> (n,) in nats."""
    return -(log_p.exp() * log_p).sum(1)


def log_determinant(logits: Tensor, y: Tensor) -> Tensor:
    """log det(M M^T + 1e-6 I) of each image.  (n, members, K), (n,) labels -> (n,), natural log.

    About 0 at most, where no wrong class has the probability of two members. Right to 2e-6 in
    float32.
    """
    true_class = y[:, None, None].expand(-1, logits.shape[1], 1)
    # float32 would round the products to a tenth of the offset; and autocast, which would round
    # them further, leaves float64 alone.
    others = logits.double().scatter(2, true_class, -torch.inf).softmax(2)
    rows = F.normalize(others, dim=2)  # at least 1 / sqrt(K - 1) long before
    gram = rows @ rows.mT + OFFSET * torch.eye(rows.shape[1], dtype=rows.dtype, device=rows.device)
    # ``cholesky`` waits for the device to say whether it could; with the offset it always can.
    factor = torch.linalg.cholesky_ex(gram).L
    return 2 * factor.diagonal(dim1=1, dim2=2).log().sum(1).to(logits.dtype)
