"""How much smaller a run is than the paper's: images, epochs, weights, seeds, attack steps.

The paper's scale stands in its reference file under ``scale``, per data set and network; ours is
read from the study.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import Field, PositiveInt

from pipeline.study.early import training_of
from pipeline.study.external import is_external
from pipeline.study.per import ELSE
from robustinfo.core.settings import Entry, Settings

CLASSES = 10  # of networks that are built to be counted, ours and the paper's alike
# A number, or one for each name, of which ELSE serves all others; None: the paper prints none.
Counts = PositiveInt | dict[str, PositiveInt | None] | None


class Scale(Settings):
    """Scale of the paper's experiments in one setting."""

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
    content = reference.get("scale", {}).get(f"{dataset}/{model}")
    return None if content is None else Scale(**content)


def smaller_than_paper(
    study: dict[str, Any], names: dict[str, str], paper: Scale, n: int | None = None
) -> str:
    """``10 of 200 epochs, 2 of 3 seeds; 5 % of images x epochs``; empty if nothing is smaller.

    study: in the setting. names: dataset, model, defence, entry, stage and input of the
    numbers. n: of their images, which may be more than the study attacks.
    """
    tested = [*_smaller_tests(study, names, paper, n)]
    of_images = (names["stage"], names["input"]) == ("complexity", "clean")  # of no network
    if of_images or is_external(study["defences"].get(names["defence"])):
        return ", ".join(tested)
    text = ", ".join([*_smaller_training(study, names, paper), *tested])
    if (fraction := training_fraction(study, names["defence"], paper)) is not None and fraction < 1:
        text += f"; {percent(fraction)} of images x epochs"
    return text


def training_fraction(study: dict[str, Any], defence: str, paper: Scale) -> float | None:
    """Our images x epochs as a fraction of the paper's; None where it prints too little."""
    ours, theirs = _images(study, paper), _count_for(paper.epochs, defence)
    if ours is None or theirs is None or paper.training_images is None:
        return None
    return ours * _epochs(study, defence) / (paper.training_images * theirs)


def percent(fraction: float) -> str:
    """Two significant digits: ``0.058 %``."""
    return f"{float(f'{100 * fraction:.2g}'):g} %"


def weights(study: dict[str, Any], dataset: str, model: str, paper: Scale) -> str:
    """``1/48 of the weights``; empty where ours has no fewer, or the paper names no network."""
    our_network = study["models"][model]
    if paper.network in (None, our_network):
        return ""
    data = json.dumps(study["datasets"][dataset])
    ours, theirs = (_parameters(json.dumps(entry), data) for entry in (our_network, paper.network))
    if ours >= theirs:
        return ""
    one_in = theirs / ours
    return f"{f'1/{one_in:.0f}' if one_in >= 1.5 else percent(1 / one_in)} of the weights"


def images(study: dict[str, Any], paper: Scale) -> str:
    """``6,000 of 60,000 training images``; empty where ours are as many."""
    return _fewer_text(_images(study, paper), paper.training_images, "training images")


def epochs(study: dict[str, Any], defence: str, paper: Scale) -> str:
    """``10 of 200 epochs``; empty where ours are as many."""
    ours, theirs = _epochs(study, defence), _count_for(paper.epochs, defence)
    if theirs is None:
        return f"{ours:,} epochs where the paper prints none"
    return _fewer_text(ours, theirs, "epochs")


def seeds(study: dict[str, Any], defence: str, paper: Scale) -> str:
    """``2 of 3 seeds``; empty where ours are as many."""
    return _fewer_text(len(study["seeds"]), _count_for(paper.seeds, defence), "seeds")


def _smaller_training(study: dict[str, Any], names: dict[str, str], paper: Scale) -> Iterator[str]:
    defence = names["defence"]
    parts = (
        images(study, paper),
        epochs(study, defence, paper),
        weights(study, names["dataset"], names["model"], paper),
        seeds(study, defence, paper),
        _fewer_text(
            _inner_steps(study["defences"][defence]), paper.inner_steps, "steps of the inner attack"
        ),
    )
    yield from filter(None, parts)


def _smaller_tests(
    study: dict[str, Any], names: dict[str, str], paper: Scale, n: int | None
) -> Iterator[str]:
    from robustinfo.core import registry

    name, attacked = names["entry"], study["evaluation_images"]
    ours = attacked and max(attacked, n or 0)
    if fewer := _fewer_text(ours, _count_for(paper.test_images, name), "test images"):
        yield fewer
    attack = study["diagnostics"].get(name, {}).get("examples", name)
    if attack in study["attacks"]:
        ours = registry.config("attacks", study["attacks"][attack])
        for setting, theirs in paper.attacks.get(attack, {}).items():
            words = f"{setting.replace('_', ' ')} of {attack}"
            if fewer := _fewer_text(getattr(ours, setting), theirs, words):
                yield fewer


def _fewer_text(ours: int | None, theirs: int | None, unit: str) -> str:
    """``10 of 200 epochs``, or empty. ours None: all that there are, or none."""
    return (
        "" if ours is None or theirs is None or ours >= theirs else f"{ours:,} of {theirs:,} {unit}"
    )


def _count_for(counts: Counts, name: str) -> int | None:
    return counts.get(name, counts.get(ELSE)) if isinstance(counts, dict) else counts


def _images(study: dict[str, Any], paper: Scale) -> int | None:
    """Number of training images, without the held-out ones."""
    if paper.training_images is None:
        return None
    used = min(study["training_images"] or paper.training_images, paper.training_images)
    return round(used * (1 - study["validation_share"]))


def _epochs(study: dict[str, Any], defence: str) -> int:
    return training_of(study, defence)["epochs"]


def _inner_steps(defence: Entry) -> int | None:
    """Steps of the attack that a defence, or the defence that it is built on, trains against."""
    attack = defence.get("attack") or defence.get("base", {}).get("attack") or {}
    return attack.get("steps")


@cache
def _parameters(model: str, dataset: str) -> int:
    """Number of weights of a network for the images of a data set, both entries as JSON."""
    import torch

    from robustinfo.core import registry

    data = json.loads(dataset)
    shape = registry.module("datasets", data).image_shape(registry.config("datasets", data))
    with torch.device("meta"):
        network = registry.get("models", json.loads(model))(shape, CLASSES)
    return sum(weight.numel() for weight in network.parameters())
