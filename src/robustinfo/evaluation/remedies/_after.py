"""What is left after the remedies: the accuracy, per image, and which remedy broke what."""

from typing import NamedTuple

from torch import Tensor

from robustinfo.evaluation.accuracy import Accuracy


class RemedyOutcome(NamedTuple):
    """What one remedy did."""

    called_by: tuple[str, ...]  # the failed checks that called for it
    broken: Tensor  # (n,) bool: robust before it, in the order in which remedies are made
    seconds: float
    not_made: str = ""  # why it could not be made on some batch; empty: it was


class AfterRemedies(NamedTuple):
    """The images that are robust against remedies, too; n images.

    votes: the answers whose majority is that of a randomised network; None: its answers are fixed.
    """

    robust: Tensor  # (n,) bool, on the CPU
    remedies: dict[str, RemedyOutcome]  # in the order in which they were made
    votes: int | None

    @property
    def accuracy(self) -> Accuracy:
        """The fraction of all images that are robust after remedies."""
        return Accuracy.of(self.robust)

    @property
    def made(self) -> list[str]:
        """The remedies that could be made, on some images at least."""
        return [n for n, one in self.remedies.items() if not one.not_made or one.broken.any()]

    @property
    def seconds(self) -> float:
        """Of all remedies."""
        return sum(one.seconds for one in self.remedies.values())

    @property
    def vote_error(self) -> float | None:
        """The largest standard error of a class's share of the votes."""
        return None if self.votes is None else 0.5 / self.votes**0.5
