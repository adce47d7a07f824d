"""Coverage page: which of the papers' results are regenerated, where, and at what scale.

python -m pipeline coverage > studies/coverage.md
"""

import argparse
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.evidence import finished_units
from pipeline.evidence.target_runs import (
    Result,
    Runs,
    all_runs,
    matching_names,
    runs_of_result,
    runs_of_targets,
)
from pipeline.study import scale
from pipeline.study.checked import load
from pipeline.study.early import trained_as
from pipeline.study.slices import REFERENCES, TRAININGS, in_setting
from pipeline.study.strict_yaml import read

PAPERS = tuple(file.stem for file in sorted(Path(REFERENCES).glob("*.yaml")))
FILE = Path("studies/coverage.md")
FULL, SMALL = "", "-small"  # how the files of a paper's two studies end
CLEAN = {"stage": "diagnose", "entry": "clean", "input": ""}  # accuracy, of every study
# Settings of a training that are part of the scale, or irrelevant.
IGNORED = ("epochs", "snapshot_every")
INTRODUCTION = """# What of the papers is regenerated

Made by `python -m pipeline coverage > studies/coverage.md`;
a test holds it against the studies.

A result is a table, a figure or a number of a paper's text. Its targets are tables, figures and
claims of the studies; `*` is any letters. *Scale* is that of the trainings which the targets of the
small study show, against the paper's: images x epochs, weights, seeds; `none` of a setting that
only the full study has. Where the paper prints no epochs it is of the images, with our epochs
beside; what else it does not print is not compared. *Faithful* says whether the full study computes
the paper's own quantity on the paper's own data by its recipe, or why not. *Evidence* counts the
finished units whose rows are those of a target of the full study, at the scale that
[their page](../benchmarks/evidence/README.md) says. Below each paper stand all in which the
trainings and tests of its small study are smaller, what else these trainings change, and what both
studies have beyond the paper."""


def page() -> str:
    """The page as Markdown."""
    return "\n\n".join([INTRODUCTION, *map(_section, PAPERS)]) + "\n"


def results(paper: str) -> list[Result]:
    """Results of the paper, in the order of its text."""
    return [Result(**content) for content in reference(paper)["results"]]


def beyond(paper: str) -> dict[str, str]:
    """{pattern: description} of tables and figures of its studies that are not in the paper."""
    return reference(paper)["beyond"]


def reference(paper: str) -> dict[str, Any]:
    """Content of the paper's reference file."""
    return read(Path(REFERENCES) / f"{paper}.yaml")[0]


@cache
def study(paper: str, end: str) -> dict[str, Any]:
    """One of the paper's two studies, checked. end: FULL or SMALL."""
    return load(Path("studies") / f"{paper}{end}.yaml")


def _section(paper: str) -> str:
    listed = results(paper)
    targets = {end: runs_of_targets(study(paper, end)) for end in (FULL, SMALL)}
    finished = finished_units.of_paper(paper, study(paper, FULL))
    counts = [sum(bool(runs_of_result(one, targets[end])) for one in listed) for end in targets]
    heads = ["result", "what it is", "in the full study", "in the small study"]
    heads += ["evidence"] * bool(finished) + ["scale of the small study", "faithful"]
    lines = []
    for result in listed:
        patterns = (_matching_patterns(result, targets[end]) for end in targets)
        cells = [result.id, result.what, *patterns]
        cells += [finished_units.summary(result, finished)] if finished else []
        full_runs, small_runs = (all_runs(runs_of_result(result, targets[end])) for end in targets)
        lines.append([*cells, _scale(paper, small_runs, full_runs), result.faithful])
    parts = [
        f"## {reference(paper)['title']}",
        f"Of {len(listed)} results {counts[0]} have a target in the full study, {counts[1]} in the "
        "small one.",
        _table(heads, lines),
        _table(["setting", "defences", "in the small study", "changed, too"], _reductions(paper)),
    ]
    extras = [f"`{name}` ({what})" for name, what in beyond(paper).items()]
    return "\n\n".join([*parts, *([f"Beyond the paper: {', '.join(extras)}."] if extras else [])])


def _matching_patterns(result: Result, targets: dict[str, Runs]) -> str:
    """Patterns of the result that match some of the targets, as Markdown."""
    shown = runs_of_result(result, targets)
    return ", ".join(f"`{one}`" for one in result.targets if matching_names([one], shown)) or "-"


def _scale(paper: str, runs: Runs, full_runs: Runs) -> str:
    """Per setting the fraction of images x epochs, from least to greatest; weights; seeds.

    full_runs: the runs of the full study.
    """
    texts = [f"{'/'.join(setting)}: none" for setting in full_runs if setting not in runs]
    for (dataset, model), defences in runs.items():
        theirs = scale.of_paper(reference(paper), dataset, model)
        if theirs is None:
            texts.append("exact" if not dataset else f"{dataset}/{model}: not the paper's")
            continue
        small = in_setting(study(paper, SMALL), {"dataset": dataset, "model": model})
        trained = sorted(defences & small["defences"].keys())
        fraction = _training_fraction(small, trained, theirs)
        parts = [*fraction, scale.weights(small, dataset, model, theirs)]
        parts += dict.fromkeys(scale.seeds(small, defence, theirs) for defence in trained)
        texts.append(f"{dataset}/{model}: {', '.join(filter(None, parts)) or 'as large'}")
    return "; ".join(dict.fromkeys(texts)) or "-"


def _training_fraction(
    small: dict[str, Any], defences: list[str], theirs: scale.Scale
) -> list[str]:
    """Fraction of images x epochs; where the paper prints no epochs, of images, and our epochs."""
    fractions = [scale.training_fraction(small, defence, theirs) for defence in defences]
    known = {fraction for fraction in fractions if fraction is not None}
    if not known:
        our_epochs = dict.fromkeys(scale.epochs(small, defence, theirs) for defence in defences)
        return [scale.images(small, theirs), *our_epochs]
    ends = dict.fromkeys(map(scale.percent, (min(known), max(known))))
    return [f"{' to '.join(ends)} of images x epochs"]


def _reductions(paper: str) -> list[list[str]]:
    """Lines of setting, defences that are reduced alike, reductions, other changed settings."""
    lines: dict[tuple[str, ...], list[str]] = {}
    for setting in study(paper, SMALL)["settings"]:
        theirs = scale.of_paper(reference(paper), **setting)
        small, full = (in_setting(study(paper, end), setting) for end in (SMALL, FULL))
        if theirs is None:
            continue
        for name in small["defences"]:
            run = setting | {"defence": name, **CLEAN}
            reductions = scale.smaller_than_paper(small, run, theirs)
            place = f"{setting['dataset']}/{setting['model']}"
            key = (place, reductions, _changed(small, full, name))
            lines.setdefault(key, []).append(name)
    return [[place, ", ".join(names), *changes] for (place, *changes), names in lines.items()]


def _changed(small: dict[str, Any], full: dict[str, Any], defence: str) -> str:
    """Settings of a defence's training that differ from the full study's."""
    trained = trained_as(small, defence)
    section = next(name for name in TRAININGS if trained in small[name])
    ours, theirs = small[section][trained], full[section].get(trained, {})
    names = [name for name in ours | theirs if name not in IGNORED]
    return ", ".join(n.replace("_", " ") for n in names if ours.get(n) != theirs.get(n)) or "-"


def _table(heads: list[str], lines: list[list[str]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)


def main(arguments: Sequence[str]) -> None:
    """Print the page; there are no arguments."""
    argparse.ArgumentParser("python -m pipeline coverage").parse_args(arguments)
    print(page(), end="")
