"""A network known by its answers alone: numpy arrays of images -> scores or labels.

No gradient flows through it, and nothing is known of its layers.
"""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

Ask = Callable[[np.ndarray], Any]


LEAST = 1e-12  # a probability below it counts as so much
SUM_TOLERANCE = 1e-3  # of probabilities: a server may round them


class NoAnswerError(OSError):
    """A server that does not answer, or not as asked; said without the place in the code."""


class AnswersOnly(nn.Module):
    """Images (n, c, h, w) in [0, 1] -> scores (n, K), without a gradient.

    answers_only: True, by which an evaluation knows such a network.
    gives: after the first answer "scores", "probabilities", whose logarithms are then the scores,
    or "labels", whose scores are 1 for the class and -1 for others.
    """

    answers_only = True

    def __init__(self, ask: Ask, classes: int) -> None:
        """ask: float32 (n, c, h, w) -> numbers (n, K), or integers (n,), labels below classes."""
        super().__init__()
        self.ask, self.classes, self.gives = ask, classes, ""

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Scores, (n, K) float32 on the device of x. Raises TypeError if the answers are others."""
        if len(x) == 0:
            return torch.zeros(0, self.classes, device=x.device)
        given = self.ask(np.array(x.detach().cpu(), dtype=np.float32))
        try:
            answers = np.asarray(given)
        except Exception as error:
            raise TypeError(f"gives {type(given).__name__}, not a numpy array") from error
        if answers.dtype.kind not in "biuf":
            raise TypeError(f"gives {type(given).__name__} of {answers.dtype}, not numbers")
        if answers.dtype.kind != "f" and answers.size == len(x):
            self.gives = "labels"
            return self._scores_of_labels(answers.reshape(-1)).to(x.device)
        self.gives = self.gives or ("probabilities" if _are_probabilities(answers) else "scores")
        scores = torch.from_numpy(answers.astype(np.float32)).to(x.device)
        return scores.clamp(min=LEAST).log() if self.gives == "probabilities" else scores

    def _scores_of_labels(self, labels: np.ndarray) -> Tensor:
        """(n,) integers -> (n, K)."""
        wrong = labels[(labels < 0) | (labels >= self.classes)]
        if len(wrong):
            raise TypeError(f"gives the label {wrong[0]}; labels are 0 to {self.classes - 1}")
        return 2.0 * F.one_hot(torch.from_numpy(labels.astype(np.int64)), self.classes) - 1

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Another that asks the same: sessions and connections cannot be copied."""
        other = type(self)(self.ask, self.classes)
        other.gives = self.gives
        return other


def _are_probabilities(answers: np.ndarray) -> bool:
    """Whether every row is of at least 0, and sums to 1."""
    if answers.ndim != 2 or answers.shape[1] < 2:
        return False
    return bool((answers >= 0).all() and (np.abs(answers.sum(1) - 1) < SUM_TOLERANCE).all())
