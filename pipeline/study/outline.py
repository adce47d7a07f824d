"""Outline of a study's results, known before any job: the rows, without their values.

A group of rows maps columns of rows.py to the values that occur there; its rows are all
combinations. A column that it lacks is empty. A method's own rows are in its ``outline``.
"""

from typing import Any

from pipeline.study import early, outline_tests
from pipeline.study.entries import network
from pipeline.study.external import is_external, points
from pipeline.study.outline_entries import (
    Layers,
    method_outline,
    of_detection,
    of_diagnostics,
    of_learning,
    of_measure,
)
from pipeline.study.outline_trainings import of_origin, of_selection
from pipeline.study.slices import in_setting
from robustinfo.core.settings import ANY, Outline


def of_study(study: dict[str, Any]) -> Outline:
    """Groups of every setting, and of every toy, which has no setting."""
    groups = []
    for setting in study["settings"]:
        setting_columns = {name: (value,) for name, value in setting.items()}
        study_here = in_setting(study, setting)
        for group in (*of_defences(setting, study_here), *of_selection(setting, study_here)):
            groups += [setting_columns | rows for rows in _by_origin(group, study_here)]
    for name, entry in study["toys"].items():
        groups += [
            {"stage": ("toy",), "entry": (name,)} | rows for rows in method_outline("toys", entry)
        ]
    seeds = {"seed": tuple(study["seeds"])}
    return [seeds | group for group in groups]


def _by_origin(group: dict[str, tuple], study: dict[str, Any]) -> Outline:
    """A group's rows of what is trained here, and of what was elsewhere: of the first seed alone.

    A group that names no defence is of all.
    """
    defences = group.get("defence", tuple(study["defences"]))
    elsewhere = tuple(name for name in defences if is_external(study["defences"][name]))
    here = tuple(name for name in defences if name not in elsewhere)
    rows = [group | {"defence": here}] if here else []
    first = {"seed": (study["seeds"][0],)}
    return [*rows, group | {"defence": elsewhere} | first] if elsewhere else rows


def of_defences(setting: dict[str, str], study: dict[str, Any]) -> Outline:
    """Groups that all defences of a setting share, then those of each defence.

    classes  number of classes of the data set
    """
    groups = [{"stage": ("data",), "quantity": ("classes",)}]
    images = _dataset_content(setting, study) == "images"
    groups += outline_tests.of_attacks(study, images=images)
    groups += outline_tests.of_complexities(study, images=images)
    groups += outline_tests.of_distortions(study)
    groups += outline_tests.of_diagnostics(study)
    for name, entry in study["learning"].items():
        groups += [{"stage": ("learn",), "entry": (name,)} | group for group in of_learning(entry)]
    for name, entry in study["detection"].items():
        groups += [
            {"stage": ("detect",), "input": (name,)} | group for group in of_detection(study, entry)
        ]
    for name, entry in study["defences"].items():
        layers = points(entry) if is_external(entry) else network(study["models"][setting["model"]])
        own_groups = of_origin(name, entry, study)
        own_groups += of_snapshots(name, study, layers)
        own_groups += outline_tests.of_distorted_layers(study, layers)
        groups += [{"defence": (name,)} | group for group in own_groups]
    for transfer in study["transfers"]:
        if transfer["defence"] in study["defences"]:
            groups += outline_tests.of_transfer(transfer, study)
    return groups


def of_snapshots(name: str, study: dict[str, Any], layers: Layers) -> Outline:
    """Rows of every snapshot and input: clean, attacked, or the training images.

    Those of a network that was trained elsewhere have no epoch.

    accuracy  fraction of these images that are classified correctly
    loss  their mean cross-entropy, in nats
    attack_success_rate  of the images correct when clean, the fraction that the attack turns
    """
    attacked = tuple(study["snapshot_attacks"])
    test_inputs = ("clean", *attacked)
    all_inputs = (*test_inputs, "training")  # also of the images that were trained on
    inputs = all_inputs if study["training_measure"] else test_inputs
    outline = [
        {"input": inputs, "quantity": ("accuracy", "loss")},
        {"input": attacked, "quantity": ("attack_success_rate",)},
    ]
    for measure, entry in study["measures"].items():
        measure_inputs = {
            "input": all_inputs if measure == study["training_measure"] else test_inputs
        }
        measure_groups = of_measure(layers, entry)
        outline += [measure_inputs | {"entry": (measure,)} | group for group in measure_groups]
    diagnostic_groups = of_diagnostics(study["snapshot_diagnostics"])
    outline += [{"input": ("clean",)} | group for group in diagnostic_groups]
    shared = {"stage": ("measure",)} | _epochs(name, study)
    return [shared | group for group in outline]


def _epochs(name: str, study: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """``{"epoch": those of its snapshots}``; of a network that was trained elsewhere, none.

    Of a network of an earlier epoch there is one, not known before it is chosen.
    """
    if is_external(study["defences"][name]):
        return {}
    if name in early.names(study):
        return {"epoch": ANY}
    return {"epoch": tuple(early.snapshot_epochs(early.training_of(study, name)))}


def _dataset_content(setting: dict[str, str], study: dict[str, Any]) -> str:
    from robustinfo.core import registry

    return registry.reads("datasets", study["datasets"][setting["dataset"]]) or ""
