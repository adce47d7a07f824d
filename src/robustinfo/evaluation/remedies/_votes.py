"""The answer of a randomised network: the majority of many, and whether an image turns it.

A network that draws in its forward pass has no answer of its own; an attack that asks often enough
finds a wrong one by luck. So its answer is the class that most of ``VOTES`` calls name, as in
Cohen et al. (2019), arXiv 1902.02918. The share of a class has a standard error of at most
0.5 / sqrt(VOTES), 5 points. An image fools where a wrong class leads the true one by more than two
standard errors of the lead, so that luck turns at most one image in forty that lies at the tie.

Known bias: images whose true majority is wrong by less than that count as robust.
"""

import torch
from torch import Tensor, nn

VOTES = 101
ERRORS = 2  # standard errors by which a wrong class has to lead


@torch.no_grad()
def vote_counts(network: nn.Module, x: Tensor, votes: int = VOTES) -> Tensor:
    """How many of the calls name each class: (n, K) int64.  x: (n, c, h, w) in [0, 1]."""
    counts = torch.zeros(0)
    for number in range(votes):
        logits = network(x)
        if not number:
            counts = torch.zeros(logits.shape, dtype=torch.int64, device=x.device)
        counts.scatter_add_(1, logits.argmax(1, keepdim=True), torch.ones_like(counts[:, :1]))
    return counts


def outvoted(network: nn.Module, x: Tensor, y: Tensor, votes: int = VOTES) -> Tensor:
    """Whether a wrong class surely leads the true one, (n,) bool.  y: (n,) labels."""
    shares = vote_counts(network, x, votes).double() / votes
    true = shares.gather(1, y[:, None]).squeeze(1)
    wrong = shares.scatter(1, y[:, None], -1.0).amax(1)
    lead = wrong - true
    error = ((wrong + true - lead.square()) / votes).clamp(min=0).sqrt()
    return lead > ERRORS * error
