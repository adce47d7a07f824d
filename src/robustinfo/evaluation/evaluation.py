"""What ``robustinfo.judge`` gives: what was found, what repeats it, and how it is written."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robustinfo.evaluation.document import document
from robustinfo.evaluation.printing import lines
from robustinfo.evaluation.report import latex
from robustinfo.evaluation.result import Result
from robustinfo.evaluation.save import save


@dataclass(frozen=True, repr=False, eq=False)
class Evaluation(Result):
    """The verdict on one network, its evidence, and what repeats it; n images.

    ``clean_correct`` and ``robust`` are (n,) bool, ``labels`` (n,) int64, on the CPU; accuracies
    are fractions of images with ``low`` and ``high``, their 95 % interval; see ``Result``. From
    ``medium`` on ``distances`` (n,) is how far each image is from being misclassified, and
    ``accuracy_at(epsilon)`` what that leaves.

    >>> import torch, robustinfo
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 4))
    >>> x = torch.rand(64, 1, 4, 4)
    >>> evaluation = robustinfo.judge(
    ...     model, x, model(x).argmax(1), epsilon=0.5, protocol="tiny", attacks=["fgsm", "pgd"])
    >>> evaluation.clean_accuracy
    100.0 % (94.3 to 100.0, n = 64)
    >>> evaluation.robust.shape, evaluation.adversarial_images("pgd").shape
    (torch.Size([64]), torch.Size([64, 1, 4, 4]))
    >>> sorted(evaluation.attacks)
    ['fgsm', 'pgd']
    """

    about: dict[str, Any]  # protocol, seed, device, networks, data, versions, as document.py has it

    def to_dict(self) -> dict[str, Any]:
        """All results and what repeats them as plain data, as ``evaluation.json`` has it."""
        return document(self, self.about)

    def to_json(self) -> str:
        """``to_dict`` as JSON."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"

    def to_latex(self) -> str:
        """A table for a paper (booktabs): the accuracies, and under each attack."""
        return latex.table(self.to_dict())

    def save(self, folder: str | Path) -> list[Path]:
        """Write the folder of save.py; returns the files for people. Raises DiskError."""
        return save(self, self.about, Path(folder))

    def __repr__(self) -> str:
        """Verdict, threat model and accuracies, and why, in a few lines."""
        return "\n".join(lines(self, self.about["protocol"]["name"]))
