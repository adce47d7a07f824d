"""The table of the documentation: networks of answers alone, before and after remedies.

python -m tests.evaluation.answers_table [IMAGES]

The LeNet-5 networks of the digits are given as functions of numpy arrays, which tell scores or
labels; beside them stands what white-box attacks leave of the same images: the same protocol with
gradients, and all remedies for gradients.
"""

import sys

import torch
from torch import nn

from robustinfo.evaluation.by_protocol import evaluate_by_protocol
from robustinfo.evaluation.remedies import GRADIENTS
from robustinfo.evaluation.remedies._mounting import names, remedy
from robustinfo.evaluation.result import Result
from robustinfo.evaluation.sizes import SIZES
from robustinfo.evaluation.sources._answers import AnswersOnly
from tests.evaluation import remedied
from tests.evaluation.networks import Honest, honest
from tests.evaluation.planted import BALL

COLUMNS = (
    "network", "gives", "images", "before", "after", "white-box attacks leave", "broken by",
    "queries an image",
)  # fmt: skip


class Told(nn.Module):
    """A network that is known by its scores, or by its labels, and counts what it is asked."""

    def __init__(self, model: nn.Module, gives: str) -> None:
        super().__init__()
        self.model, self.gives, self.asked = [model], gives, 0  # no part that has a gradient
        self.answers = AnswersOnly(self._ask, 10)

    def forward(self, x):
        return self.answers(x)

    @torch.no_grad()
    def _ask(self, x):
        self.asked += len(x)
        scores = self.model[0](torch.from_numpy(x))
        return (scores.argmax(1) if self.gives == "labels" else scores).numpy()


def judged(case: Honest, model: nn.Module, *, remedies: bool) -> Result:
    """The smallest protocol."""
    return evaluate_by_protocol(
        SIZES[0], model.eval(), case.x, case.y, classes=10, ball=BALL, remedies=remedies,
        progress=lambda step: None,
    )  # fmt: skip


def white_box(case: Honest) -> torch.Tensor:
    """What the protocol with gradients leaves, and all remedies for fixed answers: (n,) bool."""
    robust = judged(case, case.model, remedies=False).robust
    made = [n for n in names() if GRADIENTS in remedy(n).ACCESS and n not in remedied.OF_RANDOMISED]
    return remedied.mounted(case, case.model, made, "asked", robust, None)


def main(images: str = "64") -> None:
    torch.set_num_threads(1)
    print(f"| {' | '.join(COLUMNS)} |\n|{len(COLUMNS) * '---|'}")
    for defence in ("standard", "adversarial"):
        case = honest("digits", defence, 0, int(images))
        least = white_box(case).double().mean().item()
        for gives in ("scores", "labels"):
            told = Told(case.model, gives)
            found = judged(case, told, remedies=True)
            after = found.after_remedies
            broke = ", ".join(f"{n} {int(one.broken.sum())}" for n, one in after.remedies.items())
            print(
                f"| {defence} | {gives} | {images} | {found.robust_accuracy:.1%} | "
                f"{after.accuracy:.1%} | {least:.1%} | {broke} | {told.asked / len(case.y):,.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
