"""One file per remedy: the contract of this folder.

A check that fails says why the attacks of an evaluation fail. A remedy is the attack that the
literature answers with; it is made on the images that are still robust. Its file has all of
``Remedy``; adding a remedy is adding a file.

_mounting.py          which remedies a verdict calls for, and the run of them, batch by batch
_after.py             what comes out: the accuracy after remedies
_votes.py             the answer of a randomised network: the majority of many
_straight_through.py  gradients through what has none
_logits.py            logits in float64, before a softmax, and of one size
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from torch import Generator, Tensor, nn

from robustinfo.evaluation.attacks import Attack
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball

# What is known of a network. Of one that is known by its answers alone nothing else is.
GRADIENTS, ANSWERS = "gradients", "answers"
# x (m, c, h, w) in [0, 1] and y (m,) -> a candidate for each, like x. It need not be in the ball,
# nor fool: what is not, or does not, is no success.
Attempt = Callable[[Tensor, Tensor], Tensor]


class Subject(NamedTuple):
    """What a remedy attacks."""

    network: nn.Module  # in eval mode, its weights frozen: images (n, c, h, w) -> logits (n, K)
    ball: Ball
    images: Tensor  # (n, c, h, w), all of the batch: where the network may be asked
    attacks: Mapping[str, Attack]  # of the evaluation, by name

    @property
    def in_ball(self) -> dict[str, Any]:
        """``norm`` and ``epsilon``, as the settings of attacks have them."""
        return self.ball.model_dump()

    @property
    def answers_only(self) -> bool:
        """Whether the network is known by its answers alone."""
        return any(getattr(part, "answers_only", False) for part in self.network.modules())


class Remedy(Protocol):
    """What every file has."""

    CALLED_BY: tuple[str, ...]  # the checks of checks.py whose failure calls for it
    ACCESS: tuple[str, ...]  # GRADIENTS, ANSWERS or both: the networks on which it is made
    RANDOMISED: bool  # whether it is made where answers differ from time to time, too
    UNTIL_FLAT: bool  # whether it ends at the first attempt that breaks nothing

    def cost(self, size: Size, ball: Ball) -> Cost:
        """The most passes that an image takes, in a protocol of this size."""

    def attempts(self, subject: Subject, *, generator: Generator) -> Iterator[Attempt]:
        """Attempts, one after another, each made on the images that none before has broken.

        All random numbers come from the generator. Raises UserError where it cannot be made.
        """
