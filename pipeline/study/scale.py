"""In what a run is smaller than the paper's: images, epochs, weights, seeds, steps of attacks.

The paper's scale stands in its reference file under ``scale``, per data set and network; ours is
what the study says. None of it is typed beside a number.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import Field, PositiveInt

from pipeline.study.per import ELSE
from pipeline.study.slices import TRAININGS
from robustinfo.core.settings import Entry, Settings

CLASSES = 10  # of networks that are built to be counted, ours and the paper's alike
# A number, or one for each name, of which ELSE serves all others; None: the paper prints none.
Counts = PositiveInt | dict[str, PositiveInt | None] | None


class Scale(Settings):
    """What the paper's numbers rest on in one setting."""

    training_images: PositiveInt | None
    test_images: Counts  # by entry of the results
    epochs: Counts  # by defence
    seeds: Counts  # by defence
    network: Entry | None  # of models/
    inner_steps: PositiveInt | None = None  # of the attacks of adversarial training
    attacks: dict[str, dict[str, PositiveInt]] = Field(
        default_factory=dict
    )  # by entry: its settings


def of_paper(reference: dict[str, Any], dataset: str, model: str) -> Scale | None:
    """The paper's scale in a setting, from the content of its reference file."""
    found = reference.get("scale", {}).get(f"{dataset}/{model}")
    return None if found is None else Scale(**found)


def smaller(
    study: dict[str, Any], names: dict[str, str], paper: Scale, n: int | None = None
) -> str:
    """``10 of 200 epochs, 2 of 3 seeds; 5 % of images x epochs``; empty if nothing is smaller.

    study: as the setting sees it. names: dataset, model, defence, entry, stage and input of the
    numbers. n: of their images, which may be more than the study attacks.
    """
    tested = [*_tested(study, names, paper, n)]
    if (names["stage"], names["input"]) == ("complexity", "clean"):  # of images, no network
        return ", ".join(tested)
    found = ", ".join([*_trained(study, names, paper), *tested])
    if (part := share(study, names["defence"], paper)) is not None and part < 1:
        found += f"; {percent(part)} of images x epochs"
    return found


def share(study: dict[str, Any], defence: str, paper: Scale) -> float | None:
    """Our images x epochs over the paper's; None where it prints too little."""
    ours, theirs = _images(study, paper), _one(paper.epochs, defence)
    if ours is None or theirs is None or paper.training_images is None:
        return None
    return ours * _epochs(study, defence) / (paper.training_images * theirs)


def percent(part: float) -> str:
    """Two significant digits: ``0.058 %``."""
    return f"{float(f'{100 * part:.2g}'):g} %"


def weights(study: dict[str, Any], dataset: str, model: str, paper: Scale) -> str:
    """``1/48 of the weights``; empty where ours has no fewer, or the paper names no network."""
    own = study["models"][model]
    if paper.network in (None, own):
        return ""
    data = json.dumps(study["datasets"][dataset])
    ours, theirs = (_parameters(json.dumps(one), data) for one in (own, paper.network))
    if ours >= theirs:
        return ""
    one_in = theirs / ours
    return f"{f'1/{one_in:.0f}' if one_in >= 1.5 else percent(1 / one_in)} of the weights"


def images(study: dict[str, Any], paper: Scale) -> str:
    """``6,000 of 60,000 training images``; empty where ours are as many."""
    return _fewer(_images(study, paper), paper.training_images, "training images")


def epochs(study: dict[str, Any], defence: str, paper: Scale) -> str:
    """``10 of 200 epochs``; empty where ours are as many."""
    ours, theirs = _epochs(study, defence), _one(paper.epochs, defence)
    if theirs is None:
        return f"{ours:,} epochs where the paper prints none"
    return _fewer(ours, theirs, "epochs")


def seeds(study: dict[str, Any], defence: str, paper: Scale) -> str:
    """``2 of 3 seeds``; empty where ours are as many."""
    return _fewer(len(study["seeds"]), _one(paper.seeds, defence), "seeds")


def _trained(study: dict[str, Any], names: dict[str, str], paper: Scale) -> Iterator[str]:
    defence = names["defence"]
    parts = (
        images(study, paper),
        epochs(study, defence, paper),
        weights(study, names["dataset"], names["model"], paper),
        seeds(study, defence, paper),
        _fewer(
            _inner_steps(study["defences"][defence]), paper.inner_steps, "steps of the inner attack"
        ),
    )
    yield from filter(None, parts)


def _tested(
    study: dict[str, Any], names: dict[str, str], paper: Scale, n: int | None
) -> Iterator[str]:
    from robustinfo.core import registry

    name, attacked = names["entry"], study["evaluation_images"]
    ours = attacked and max(attacked, n or 0)
    if fewer := _fewer(ours, _one(paper.test_images, name), "test images"):
        yield fewer
    attack = study["diagnostics"].get(name, {}).get("examples", name)
    if attack in study["attacks"]:
        ours = registry.config("attacks", study["attacks"][attack])
        for setting, theirs in paper.attacks.get(attack, {}).items():
            words = f"{setting.replace('_', ' ')} of {attack}"
            if fewer := _fewer(getattr(ours, setting), theirs, words):
                yield fewer


def _fewer(ours: int | None, theirs: int | None, what: str) -> str:
    """None of ours: all that there are, or none."""
    return (
        "" if ours is None or theirs is None or ours >= theirs else f"{ours:,} of {theirs:,} {what}"
    )


def _one(counts: Counts, name: str) -> int | None:
    return counts.get(name, counts.get(ELSE)) if isinstance(counts, dict) else counts


def _images(study: dict[str, Any], paper: Scale) -> int | None:
    """The images that weights are fitted to: without the held-out ones."""
    if paper.training_images is None:
        return None
    taken = min(study["training_images"] or paper.training_images, paper.training_images)
    return round(taken * (1 - study["validation_share"]))


def _epochs(study: dict[str, Any], defence: str) -> int:
    return next(study[one][defence]["epochs"] for one in TRAININGS if defence in study[one])


def _inner_steps(defence: Entry) -> int | None:
    """Of the attack that a defence trains against, itself or what it is built on."""
    attack = defence.get("attack") or defence.get("base", {}).get("attack") or {}
    return attack.get("steps")


@cache
def _parameters(model: str, dataset: str) -> int:
    """The weights of a network for the images of a data set, both entries as JSON."""
    import torch

    from robustinfo.core import registry

    data = json.loads(dataset)
    shape = registry.module("datasets", data).image_shape(registry.config("datasets", data))
    with torch.device("meta"):
        network = registry.get("models", json.loads(model))(shape, CLASSES)
    return sum(weight.numel() for weight in network.parameters())
