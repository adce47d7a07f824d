"""The folder of an evaluation: data that repeat it, LaTeX, a page, figures, adversarial images.

    evaluation.json     all results, and what repeats them
    row.tex, table.tex  for a paper
    report.html, figures/    one page that opens offline; with the extra ``report``
    adversarial/ATTACK/FIRST_IMAGE.safetensors    ``success`` (n,) and ``x_adv`` of the successes

The last are the finished parts from which the same evaluation goes on (finished.py).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from robustinfo.core.files import atomic_write
from robustinfo.evaluation import report
from robustinfo.evaluation.document import document
from robustinfo.evaluation.finished import Finished
from robustinfo.evaluation.result import Result

SHOWN = 12  # adversarial images in the report


def save(evaluation: Result, about: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the folder; returns the files for people. Raises DiskError.

    about: as in ``document``.
    """
    content, finished = document(evaluation, about), evaluation.finished
    if finished.folder != folder:  # all attacks are made again, from the same seeds
        finished = finished._replace(folder=folder)
        for name in evaluation.attacks:
            for _ in evaluation.crafted(name, finished):
                pass
    shown = gallery(evaluation, [*about["data"]["classes"]], finished)
    files = report.write(folder, content, shown)
    file = folder / "evaluation.json"
    with atomic_write(file) as partial:
        partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return [file, *files]


def gallery(evaluation: Result, names: list[str], finished: Finished) -> report.Gallery | None:
    """The first broken images, from the attack that broke most; None where none did.

    names: of the classes. finished: where the attacks' images are.
    """
    name = max(evaluation.attacks, key=lambda one: int(evaluation.attacks[one].broken.sum()))
    rows = evaluation.attacks[name].broken.nonzero().flatten()[:SHOWN].tolist()
    clean, adversarial = list[torch.Tensor](), list[torch.Tensor]()
    after = list[int]()
    for batch, x_adv in evaluation.crafted(name, finished):
        here = [row - batch.start for row in rows if batch.start <= row < batch.rows.stop]
        clean.append(batch.x[here].cpu())
        adversarial.append(x_adv[here].cpu())
        after += evaluation.classify(x_adv[here]).tolist() if here else []
        if not rows or batch.rows.stop > rows[-1]:
            break
    if not rows:
        return None
    labels = [names[evaluation.labels[row]] for row in rows]
    return report.Gallery(
        clean=torch.cat(clean),
        adversarial=torch.cat(adversarial),
        labels=labels,
        before=labels,  # a broken image was correct when clean
        after=[names[one] if one < len(names) else "abstains" for one in after],
        attack=[name] * len(rows),
    )
