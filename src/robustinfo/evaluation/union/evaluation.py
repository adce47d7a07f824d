"""What ``robustinfo.judge`` gives for several threat models: their union, and how it is written."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robustinfo.core.files import atomic_write
from robustinfo.evaluation.union import latex
from robustinfo.evaluation.union.document import document
from robustinfo.evaluation.union.page import write
from robustinfo.evaluation.union.printing import lines
from robustinfo.evaluation.union.result import UnionResult

FILE = "union.json"


@dataclass(frozen=True, repr=False, eq=False)
class UnionEvaluation(UnionResult):
    """Evaluations of one network on the same n images, in several threat models.

    ``threats`` has an ``Evaluation`` by norm. ``robust`` is (n,) bool: correct when clean, and
    under every attack of every threat model; ``verdict`` is the worst of theirs, ``verdict_of``
    names whose; see ``UnionResult``.

    >>> import torch, robustinfo
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 4))
    >>> x = torch.rand(64, 1, 4, 4)
    >>> found = robustinfo.judge(model, x, model(x).argmax(1), epsilon={"linf": 0.02, "l2": 0.1},
    ...     protocol="tiny", attacks=["fgsm", "pgd"])
    >>> linf, l2 = (found.threats[norm].robust for norm in ("linf", "l2"))
    >>> bool((found.robust == linf & l2).all())
    True
    >>> found.robust_accuracy <= found.average_accuracy <= found.clean_accuracy
    True
    """

    def to_dict(self) -> dict[str, Any]:
        """All results as plain data; ``threats`` has what each ``evaluation.json`` has."""
        return document(self)

    def to_json(self) -> str:
        """``to_dict`` as JSON."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"

    def to_latex(self) -> str:
        """A table for a paper (booktabs): accuracy and verdict by threat model, and in all."""
        return latex.table(self.to_dict())

    def save(self, folder: str | Path) -> list[Path]:
        """Write ``union.json``, ``table.tex`` and ``report.html``, and a folder by norm.

        Returns the files for people; those of a norm are as ``Evaluation.save`` writes them. Raises
        DiskError.
        """
        folder = Path(folder)
        files = [file for norm, one in self.threats.items() for file in one.save(folder / norm)]
        content = self.to_dict()
        with atomic_write(folder / FILE) as partial:
            partial.write_text(self.to_json(), encoding="utf-8")
        return [folder / FILE, *write(folder, content), *files]

    def __repr__(self) -> str:
        """Verdict, threat models and accuracies, and those of each, in a few lines."""
        return "\n".join(lines(self))
