"""What a target says of a paper, checked before any job: its file, its key and its scale."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

from pipeline.study.scale import of_paper
from pipeline.study.selecting import settings, values
from pipeline.study.slices import REFERENCES
from pipeline.study.strict_yaml import Key, read
from pipeline.study.target import Target, printed, text
from pipeline.study.validation import Fail, suggested
from robustinfo.core.settings import Outline


def check_paper(target: Target, found: Outline, key: Key, fail: Fail) -> None:
    """The reference is there and has a value of some cell, and each value has a scale.

    In braces stand columns of the cells.
    """
    if target.paper is None:
        return
    file = Path(REFERENCES) / f"{target.paper.file}.yaml"
    if not file.is_file():
        choices = sorted(one.stem for one in Path(REFERENCES).glob("*.yaml"))
        said = f"no {target.paper.file!r}{suggested(target.paper.file, choices)}"
        raise fail((*key, "paper", "file"), said)
    known = {*target.rows, *target.columns, "dataset", "model", "defence"}
    try:
        target.paper.key.format(**dict.fromkeys(known, ""))
    except (LookupError, ValueError) as error:
        said = f"{target.paper.key!r} takes {', '.join(sorted(known))} in braces ({error!r})"
        raise fail((*key, "paper", "key"), said) from None
    content = read(file)[0]
    printing = {*_printing(target, found, content)}
    if not printing and not _open(target, found):
        said = f"{file} has nothing by {target.paper.key!r} for a cell of it; leave `paper` out"
        raise fail((*key, "paper", "key"), said)
    for dataset, model in sorted(printing):
        if dataset and not of_paper(content, dataset, model):  # a toy has no scale
            said = f"has values of the paper for {dataset}/{model}, and {file} no `scale` of it"
            raise fail((*key, "paper"), said)


def _printing(target: Target, found: Outline, content: dict) -> Iterator[tuple[str, str]]:
    """The settings of which the paper prints a value of the target."""
    for group in found:
        for dataset, model in settings([group]):
            about = {"dataset": (dataset,), "model": (model,)}
            asked = {name: values(group | about, name) for name in target.paper.asks}  # type: ignore[union-attr]
            for cell in product(*asked.values()):
                names = dict(zip(asked, map(text, cell), strict=True))
                if printed(content, target.paper, names) is not None:
                    yield dataset, model


def _open(target: Target, found: Outline) -> bool:
    """Whether cells are named by what only the results will say."""
    asked = target.paper.asks if target.paper else ()
    named = (one for group in found for name in asked for one in values(group, name))
    return any("*" in text(one) for one in named)
