"""Check of a target's reference to a paper, before any job: its file, its key and its scale."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

from pipeline.study.scale import of_paper
from pipeline.study.selecting import settings, values
from pipeline.study.slices import REFERENCES
from pipeline.study.strict_yaml import Key, read
from pipeline.study.target import Target, cell_text, paper_value
from pipeline.study.validation import Fail, suggestion
from robustinfo.core.settings import Outline


def check_paper(target: Target, groups: Outline, key: Key, fail: Fail) -> None:
    """Check that the reference file exists, has a value of some cell, and a scale of each value.

    The key holds columns of the cells in braces.
    """
    if target.paper is None:
        return
    file = Path(REFERENCES) / f"{target.paper.file}.yaml"
    if not file.is_file():
        choices = sorted(known.stem for known in Path(REFERENCES).glob("*.yaml"))
        problem = f"no {target.paper.file!r}{suggestion(target.paper.file, choices)}"
        raise fail((*key, "paper", "file"), problem)
    columns = {*target.rows, *target.columns, "dataset", "model", "defence"}
    try:
        target.paper.key.format(**dict.fromkeys(columns, ""))
    except (LookupError, ValueError) as error:
        problem = f"{target.paper.key!r} takes {', '.join(sorted(columns))} in braces ({error!r})"
        raise fail((*key, "paper", "key"), problem) from None
    content = read(file)[0]
    published_in = {*_published(target, groups, content)}
    if not published_in and not _has_open_cells(target, groups):
        problem = f"{file} has nothing by {target.paper.key!r} for a cell of it; leave `paper` out"
        raise fail((*key, "paper", "key"), problem)
    for dataset, model in sorted(published_in):
        if dataset and not of_paper(content, dataset, model):  # a toy has no scale
            problem = f"has values of the paper for {dataset}/{model}, and {file} no `scale` of it"
            raise fail((*key, "paper"), problem)


def _published(target: Target, groups: Outline, content: dict) -> Iterator[tuple[str, str]]:
    """(dataset, model) of the settings for which the paper prints a value of the target."""
    for group in groups:
        for dataset, model in settings([group]):
            setting = {"dataset": (dataset,), "model": (model,)}
            columns = target.paper.key_columns  # type: ignore[union-attr]
            column_values = {name: values(group | setting, name) for name in columns}
            for cell in product(*column_values.values()):
                names = dict(zip(column_values, map(cell_text, cell), strict=True))
                if paper_value(content, target.paper, names) is not None:
                    yield dataset, model


def _has_open_cells(target: Target, groups: Outline) -> bool:
    """Whether cells are named by values that only the results have."""
    columns = target.paper.key_columns if target.paper else ()
    cell_values = (value for group in groups for name in columns for value in values(group, name))
    return any("*" in cell_text(value) for value in cell_values)
