"""The shape of a study file: its sections, and the types that tables and claims share."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt

from robustinfo.core.settings import Entry, Fraction01, Pixels, Settings, pixels

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=60)]
Entries = dict[Name, Entry]
# Columns of the results, and filters on them: a value, or several.
Column = Literal[
    "dataset", "model", "defence", "seed",
    "stage", "entry", "input", "epoch", "layer", "level", "quantity",
]  # fmt: skip
Value = str | int | float


def _numbers(where: Any) -> Any:  # noqa: ANN401 - any YAML value
    """The levels of a filter as numbers, ``8/255`` too, as those of the sweep are."""
    if not isinstance(where, dict) or "level" not in where:
        return where
    asked = where["level"]
    levels = [*map(pixels, asked)] if isinstance(asked, list) else pixels(asked)
    return where | {"level": levels}


Where = Annotated[dict[Column, Value | list[Value]], BeforeValidator(_numbers)]


class Setting(Settings):
    dataset: Name
    model: Name


class Limits(Settings):
    """The greatest epsilon by norm that counts for the verdict; None: any; 0: none at all."""

    linf: Pixels | None = None
    l2: Pixels | None = None


class Transfer(Settings):
    defence: Name
    proxy: Name  # the defence whose stored examples are tried on it


class Distorted(Settings):
    inputs: Annotated[list[Name], Field(min_length=1)]  # clean, or snapshot attacks
    measures: list[Name]  # of their layers


class Selection(Settings):
    """Which layers to defend: those on which alone a defence helps. No settings: none is made."""

    settings: list[Setting]
    compared: list[Name]  # defences; the others must beat the first
    attack: Name = ""  # under which
    margin: Fraction01 = 0.0  # by how much, on held-out images; if none does, the best is taken


class Verdict(Settings):
    """What every defence is held against. The checks and their thresholds are the judge's."""

    twin: Name  # the undefended defence


class Study(Settings):
    name: Name
    seeds: Annotated[list[NonNegativeInt], Field(min_length=1)]  # below 2^63: strict_yaml.py
    settings: Annotated[list[Setting], Field(min_length=1)]
    datasets: Entries
    models: Entries
    defences: Entries
    training_images: PositiveInt | None
    validation_share: Annotated[float, Field(ge=0, lt=1)]
    pretrain: dict[Name, dict[str, Any]]
    retrain: dict[Name, dict[str, Any]]
    retrain_from: Name
    selection: Selection
    train_selected: dict[Name, dict[str, Any]]
    attacks: Entries
    evaluation_images: PositiveInt | None
    snapshot_attacks: Entries
    measures: Entries
    training_measure: Name | None  # of the images that were trained on, at every snapshot
    snapshot_diagnostics: Entries
    complexities: Entries
    threat: Limits
    transfers: list[Transfer]
    distorted: Distorted
    distortions: Entries
    diagnostics: Entries
    learning: Entries
    detection: Entries
    toys: Entries
    verdict: dict[str, Any]
    tables: dict[Name, dict[str, Any]]
    figures: dict[Name, dict[str, Any]]
    claims: dict[Name, dict[str, Any]]
