"""The page that says which of the papers' results are regenerated, where, and at what scale.

python -m pipeline coverage > studies/coverage.md
"""

import argparse
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.evidence import evident
from pipeline.evidence.reached import Result, Runs, named, of_result, of_targets, together
from pipeline.study import scale
from pipeline.study.checked import load
from pipeline.study.slices import REFERENCES, TRAININGS, in_setting
from pipeline.study.strict_yaml import read

PAPERS = tuple(file.stem for file in sorted(Path(REFERENCES).glob("*.yaml")))
FILE = Path("studies/coverage.md")
FULL, SMALL = "", "-small"  # how the files of a paper's two studies end
CLEAN = {"stage": "diagnose", "entry": "clean", "input": ""}  # accuracy, of every study
TOLD = ("epochs", "snapshot_every")  # of a training: in the scale, or no matter
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
    """Markdown."""
    return "\n\n".join([INTRODUCTION, *map(_paper, PAPERS)]) + "\n"


def results(paper: str) -> list[Result]:
    """The paper's, in the order of its text."""
    return [Result(**one) for one in reference(paper)["results"]]


def beyond(paper: str) -> dict[str, str]:
    """Tables and figures of its studies that are none of its results: pattern -> what it shows."""
    return reference(paper)["beyond"]


def reference(paper: str) -> dict[str, Any]:
    """The content of its reference file."""
    return read(Path(REFERENCES) / f"{paper}.yaml")[0]


@cache
def study(paper: str, end: str) -> dict[str, Any]:
    """One of its two studies."""
    return load(Path("studies") / f"{paper}{end}.yaml")


def _paper(paper: str) -> str:
    found = results(paper)
    targets = {end: of_targets(study(paper, end)) for end in (FULL, SMALL)}
    done = evident.units(paper, study(paper, FULL))
    counts = [sum(bool(of_result(one, targets[end])) for one in found) for end in targets]
    heads = ["result", "what it is", "in the full study", "in the small study"]
    heads += ["evidence"] * bool(done) + ["scale of the small study", "faithful"]
    lines = []
    for one in found:
        cells = [one.id, one.what, *(_named(one, targets[end]) for end in targets)]
        cells += [evident.told(one, done)] if done else []
        whole, small = (together(of_result(one, targets[end])) for end in targets)
        lines.append([*cells, _scale(paper, small, whole), one.faithful])
    parts = [
        f"## {reference(paper)['title']}",
        f"Of {len(found)} results {counts[0]} have a target in the full study, {counts[1]} in the "
        "small one.",
        _table(heads, lines),
        _table(["setting", "defences", "in the small study", "changed, too"], _smaller(paper)),
    ]
    more = [f"`{name}` ({what})" for name, what in beyond(paper).items()]
    return "\n\n".join([*parts, *([f"Beyond the paper: {', '.join(more)}."] if more else [])])


def _named(result: Result, targets: dict[str, Runs]) -> str:
    """The result's patterns that name some of the targets."""
    shown = of_result(result, targets)
    return ", ".join(f"`{one}`" for one in result.targets if named([one], shown)) or "-"


def _scale(paper: str, runs: Runs, whole: Runs) -> str:
    """Per setting the share of images x epochs, from the least to the greatest; weights; seeds.

    whole: the runs of the full study.
    """
    found = [f"{'/'.join(setting)}: none" for setting in whole if setting not in runs]
    for (dataset, model), defences in runs.items():
        theirs = scale.of_paper(reference(paper), dataset, model)
        if theirs is None:
            found.append("exact" if not dataset else f"{dataset}/{model}: not the paper's")
            continue
        own = in_setting(study(paper, SMALL), {"dataset": dataset, "model": model})
        trained = sorted(defences & own["defences"].keys())
        parts = [*_share(own, trained, theirs), scale.weights(own, dataset, model, theirs)]
        parts += dict.fromkeys(scale.seeds(own, one, theirs) for one in trained)
        found.append(f"{dataset}/{model}: {', '.join(filter(None, parts)) or 'as large'}")
    return "; ".join(dict.fromkeys(found)) or "-"


def _share(own: dict[str, Any], defences: list[str], theirs: scale.Scale) -> list[str]:
    """Of images x epochs; where the paper prints no epochs, of images, and ours."""
    every = [scale.share(own, one, theirs) for one in defences]
    shares = {one for one in every if one is not None}
    if not shares:
        ours = dict.fromkeys(scale.epochs(own, one, theirs) for one in defences)
        return [scale.images(own, theirs), *ours]
    ends = dict.fromkeys(map(scale.percent, (min(shares), max(shares))))
    return [f"{' to '.join(ends)} of images x epochs"]


def _smaller(paper: str) -> list[list[str]]:
    """Per setting the defences that are smaller alike, in what, and what else is changed."""
    lines: dict[tuple[str, ...], list[str]] = {}
    for setting in study(paper, SMALL)["settings"]:
        theirs = scale.of_paper(reference(paper), **setting)
        own, full = (in_setting(study(paper, end), setting) for end in (SMALL, FULL))
        if theirs is None:
            continue
        for name in own["defences"]:
            told = scale.smaller(own, setting | {"defence": name, **CLEAN}, theirs)
            place = f"{setting['dataset']}/{setting['model']}"
            lines.setdefault((place, told, _changed(own, full, name)), []).append(name)
    return [[place, ", ".join(who), *told] for (place, *told), who in lines.items()]


def _changed(own: dict[str, Any], full: dict[str, Any], defence: str) -> str:
    """The settings of a defence's training that are others than in the full study."""
    section = next(one for one in TRAININGS if defence in own[one])
    ours, theirs = own[section][defence], full[section].get(defence, {})
    names = [name for name in ours | theirs if name not in TOLD]
    return ", ".join(n.replace("_", " ") for n in names if ours.get(n) != theirs.get(n)) or "-"


def _table(heads: list[str], lines: list[list[str]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)


def main(words: Sequence[str]) -> None:
    """Print the page; it takes no words."""
    argparse.ArgumentParser("python -m pipeline coverage").parse_args(words)
    print(page(), end="")
