"""What is robust in every threat model, image by image.

Tramer and Boneh (2019), arXiv 1904.13000, and Maini et al. (2020), arXiv 1909.04068, report it
beside the average over the threat models.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from robustinfo.core.errors import UserError
from robustinfo.evaluation.accuracy import Accuracy
from robustinfo.evaluation.checks import CLASSES
from robustinfo.evaluation.evaluation import Evaluation
from robustinfo.evaluation.remedies._after import AfterRemedies, RemedyOutcome


@dataclass(frozen=True, repr=False, eq=False)
class UnionResult:
    """Evaluations of one network on the same n images, in several threat models.

    Checks ask about the attacks of one threat model; none is asked of the union itself. Raises
    UserError unless the images are the same.
    """

    threats: dict[str, Evaluation]  # by norm

    def __post_init__(self) -> None:
        """Raise UserError unless the images are the same."""
        if len({one.data_sha256 for one in self.threats.values()}) != 1:
            raise UserError(
                f"the evaluations ({', '.join(self.threats) or 'none'}) are not of the same "
                "images; judge every threat model on one set"
            )

    @property
    def verdict(self) -> str:
        """The worst class of the threat models' verdicts, one of ``checks.CLASSES``."""
        return min((one.verdict for one in self.threats.values()), key=CLASSES.index)

    @property
    def verdict_of(self) -> list[str]:
        """The threat models with that verdict."""
        return [norm for norm, one in self.threats.items() if one.verdict == self.verdict]

    @property
    def labels(self) -> Tensor:
        """(n,) int64."""
        return next(iter(self.threats.values())).labels

    @property
    def n(self) -> int:
        """The number of images."""
        return len(self.labels)

    @property
    def black_box(self) -> bool:
        """Whether only answers were known: no gradient attack was possible."""
        return any(one.black_box for one in self.threats.values())

    @property
    def clean_correct(self) -> Tensor:
        """(n,) bool: correct when clean; where answers differ, in every evaluation."""
        return _all(one.clean_correct for one in self.threats.values())

    @property
    def robust(self) -> Tensor:
        """(n,) bool: correct when clean, and under every attack of every threat model."""
        return _all(one.robust for one in self.threats.values())

    @property
    def after_remedies(self) -> AfterRemedies | None:
        """What is robust after the remedies of every threat model, too; None without any."""
        left, remedies, votes = list[Tensor](), dict[str, RemedyOutcome](), list[int]()
        for norm, one in self.threats.items():
            after = one.after_remedies
            left.append(one.robust if after is None else after.robust)
            if after is not None:
                remedies |= {f"{norm} {name}": made for name, made in after.remedies.items()}
                votes += [] if after.votes is None else [after.votes]
        return AfterRemedies(_all(left), remedies, min(votes, default=None)) if remedies else None

    @property
    def clean_accuracy(self) -> Accuracy:
        """The fraction of clean images that are classified correctly."""
        return Accuracy.of(self.clean_correct)

    @property
    def robust_accuracy(self) -> Accuracy:
        """The fraction of images that are robust in every threat model."""
        return Accuracy.of(self.robust)

    @property
    def average_accuracy(self) -> float:
        """The mean of the threat models' robust accuracies."""
        return sum(one.robust_accuracy for one in self.threats.values()) / len(self.threats)


def _all(masks: Iterable[Tensor]) -> Tensor:
    return torch.stack([*masks]).all(0)
