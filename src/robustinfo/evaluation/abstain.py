"""Networks that may abstain: K + 1 logits, the last of which wins where they decline to answer.

Tramèr (2022), arXiv 2107.11630: with ``robust`` an adversarial image is broken if it is answered,
and wrongly; with ``error`` also where the network abstains. A clean image on which it abstains is
an error in both.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from robustinfo.maths.straight_through import with_value

Abstain = Literal["robust", "error"]


class Abstaining(nn.Module):
    """K logits of a network with K + 1; all of them tie where it abstains, and break nothing.

    The gradient is that of the K logits, there as well; ``term`` leads away from abstaining.
    """

    def __init__(self, network: nn.Module) -> None:
        """network: images (n, c, h, w) -> (n, K + 1)."""
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, K)."""
        return _tied(self.network(x))

    @torch.no_grad()
    def abstains(self, x: Tensor) -> Tensor:
        """Whether the network abstains, (n,) bool."""
        return _abstention(self.network(x))

    def term(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, K), and by how much answers lead over abstaining, summed: for attackers."""
        logits = self.network(x)
        return _tied(logits), (logits[:, :-1].amax(1) - logits[:, -1]).sum()


def _abstention(logits: Tensor) -> Tensor:
    return logits[:, -1] > logits[:, :-1].amax(1)


def _tied(logits: Tensor) -> Tensor:
    answers = logits[:, :-1]
    tied = answers.amax(1, keepdim=True).expand_as(answers)
    return with_value(answers, torch.where(_abstention(logits).unsqueeze(1), tied, answers))
