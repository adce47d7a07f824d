"""Schema of a study file: its sections with their defaults, and shared types."""
# ruff: noqa: RUF012 - pydantic copies a default for every model

from copy import deepcopy
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt

from pipeline.study.per import PER
from robustinfo.core.settings import Entry, Fraction01, Pixels, Settings, pixels

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=60)]
Entries = dict[Name, Entry]
# Columns of the results, and filters on them: a value, or several.
Column = Literal[
    "dataset", "model", "defence", "seed",
    "stage", "entry", "input", "epoch", "layer", "level", "quantity",
]  # fmt: skip
Value = str | int | float


def _parse_levels(where: Any) -> Any:  # noqa: ANN401 - any YAML value
    """A filter with its levels as numbers, ``8/255`` too, like those of a sweep."""
    if not isinstance(where, dict) or "level" not in where:
        return where
    level = where["level"]
    levels = [*map(pixels, level)] if isinstance(level, list) else pixels(level)
    return where | {"level": levels}


Where = Annotated[dict[Column, Value | list[Value]], BeforeValidator(_parse_levels)]


class Setting(Settings):
    dataset: Name  # of `datasets`
    model: Name  # of `models`


class Limits(Settings):
    """The largest epsilon, by norm, that counts for the verdict."""

    linf: Pixels | None = None  # in pixel values; None: any; 0: the norm is no threat model
    l2: Pixels | None = None  # in pixel values; None: any; 0: the norm is no threat model
    l1: Pixels | None = None  # in pixel values; None: any; 0: the norm is no threat model


class Transfer(Settings):
    """Examples that were made against one network, tried on another (a black box)."""

    defence: Name  # on which the examples are tried
    proxy: Name  # the defence whose stored examples they are


class Distorted(Settings):
    """Inputs of the distortions, and measures of the distorted images."""

    # clean, or snapshot attacks, made against the finished network
    inputs: Annotated[list[Name], Field(min_length=1)] = ["clean"]
    measures: list[Name] = []  # of `measures`: of the layers on distorted images


class Selection(Settings):
    """Selection of layers to defend: those on which alone a defence helps. No settings: none."""

    settings: list[Setting] = []  # in which layers are selected
    compared: list[Name] = []  # defences; the others must beat the first
    attack: Name | None = None  # of `attacks`, under which they are compared
    margin: Fraction01 = 0.0  # of accuracy, by which a layer must win on held-out images


class StopEarly(Settings):
    """A defence's network of an earlier epoch: the one that resists best on held-out images.

    No training is added: it is chosen among the snapshots of the defence `of`, of which its entry
    in `defences` is a copy, and is then attacked, measured and ranked like any other.
    """

    defence: Name  # of `defences`, trained in no other way
    of: Name  # of `pretrain` or `retrain`: the defence whose snapshots it is chosen among
    attack: Name  # of `attacks`, under which the snapshots are compared


class Verdict(Settings):
    """Reference of the verdict. The checks and their thresholds are the judge's."""

    twin: Name = "standard"  # the undefended defence


class Study(Settings):
    name: Name  # its results lie in results/NAME; never inherited
    seeds: Annotated[list[NonNegativeInt], Field(min_length=1)]  # one training of each defence each
    settings: Annotated[list[Setting], Field(min_length=1)]  # which network on which data set
    datasets: Entries  # methods of datasets/
    models: Entries  # methods of models/: the networks
    # methods of defences/: what is minimised in training; or a network that was trained elsewhere
    defences: Entries
    training_images: PositiveInt | None = None  # the first so many; null: all
    # of the training images, held out: they choose layers and epochs, test images nothing
    validation_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    pretrain: dict[Name, dict[str, Any]] = {}  # how a defence is trained from random weights
    retrain: dict[Name, dict[str, Any]] = {}  # how it is trained from those of `retrain_from`
    retrain_from: Name = "standard"  # the defence whose finished weights `retrain` starts from
    selection: Selection = Selection()  # of layers to defend
    # how a defence is trained, from random weights, on the layers that were selected
    train_selected: dict[Name, dict[str, Any]] = {}
    # the most robust snapshots of trainings, on held-out images: beside the last, which may overfit
    stop_early: list[StopEarly] = []
    attacks: Entries = {}  # methods of attacks/, made on every finished network
    evaluation_images: PositiveInt | None = None  # the first so many test images; null: all
    # so many of the test images are attacked in one job, and the results joined; null: all in one
    images_per_job: PositiveInt | None = None
    # methods of attacks/, made on every snapshot of a training, for what changes over the epochs
    snapshot_attacks: Entries = {}
    measures: Entries = {}  # methods of measures/: of the layers of every snapshot
    # one of `measures`, also taken of all images that were trained on, at every snapshot
    training_measure: Name | None = None
    snapshot_diagnostics: Entries = {}  # methods of diagnostics/, of every snapshot
    complexities: Entries = {}  # methods of complexities/: of clean and of adversarial images
    threat: Limits = Limits()  # how strong an attack may be to count for the verdict
    transfers: list[Transfer] = []  # examples made on one network and tried on another
    distorted: Distorted = Distorted()  # inputs and measures of `distortions`
    distortions: Entries = {}  # methods of distortions/, of test images; may be swept
    diagnostics: Entries = {}  # methods of diagnostics/, of every finished network; may be swept
    learning: Entries = {}  # methods of learning/: what networks need to learn a set of images
    detection: Entries = {}  # methods of attacks/, to be detected by complexity; may be swept
    toys: Entries = {}  # methods of toys/: exact, without a data set
    verdict: Verdict = Verdict()  # what every defence is held against
    tables: dict[Name, dict[str, Any]] = {}  # called table-...
    figures: dict[Name, dict[str, Any]] = {}  # called figure-..., drawn as `draw` says
    claims: dict[Name, dict[str, Any]] = {}  # what the papers say, as computed statements


def fill_defaults(schema: type[Settings], content: dict[str, Any]) -> dict[str, Any]:
    """The content with the default of every key that it lacks, in nested mappings, too."""
    complete = {}
    for name, field in schema.model_fields.items():
        if name in content:
            complete[name] = _fill_value(field.annotation, content[name])
        elif not field.is_required():
            default = field.get_default()
            complete[name] = default.model_dump() if isinstance(default, Settings) else default
    return deepcopy(complete) | {name: content[name] for name in content.keys() - complete.keys()}


def _fill_value(kind: Any, value: Any) -> Any:  # noqa: ANN401 - any type, any YAML value
    """A value with the defaults of its own schema, if it has one, in every choice by setting."""
    if not (isinstance(kind, type) and issubclass(kind, Settings) and isinstance(value, dict)):
        return value
    if value.keys() == {PER} and isinstance(value[PER], dict):
        return {PER: {setting: _fill_value(kind, choice) for setting, choice in value[PER].items()}}
    return fill_defaults(kind, value)
