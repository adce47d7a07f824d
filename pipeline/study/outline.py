"""What the results of a study will be called, known before any job: the rows, without their values.

A group of rows maps columns of rows.py to the values that occur there; its rows are all
combinations. A column that it lacks is empty. What methods call theirs, their own ``outline`` says.
"""

from typing import Any

from pipeline.study import tested
from pipeline.study.foretold import detected, learned, measured, of_diagnostics, rows_of
from pipeline.study.slices import TRAININGS, in_setting
from robustinfo.core.settings import Entry, Outline


def of_study(study: dict[str, Any]) -> Outline:
    """The groups of every setting, and of every toy, which has no setting."""
    found = []
    for setting in study["settings"]:
        about = {name: (value,) for name, value in setting.items()}
        own = in_setting(study, setting)
        for group in (*of_defences(setting, own), *of_selection(setting, own)):
            found.append({"defence": tuple(own["defences"])} | about | group)
    for name, entry in study["toys"].items():
        found += [{"stage": ("toy",), "entry": (name,)} | one for one in rows_of("toys", entry)]
    seeds = {"seed": tuple(study["seeds"])}
    return [seeds | group for group in found]


def of_defences(setting: dict[str, str], study: dict[str, Any]) -> Outline:
    """What all defences of a setting have alike, then what each has of its own.

    classes  number of classes of the data set
    """
    found = [{"stage": ("data",), "quantity": ("classes",)}]
    images = _held(setting, study) == "images"
    found += tested.of_attacks(study, images=images)
    found += tested.of_complexities(study, images=images)
    found += tested.of_distortions(setting, study)
    found += tested.of_diagnostics(study)
    for name, entry in study["learning"].items():
        found += [{"stage": ("learn",), "entry": (name,)} | one for one in learned(entry)]
    for name, entry in study["detection"].items():
        found += [{"stage": ("detect",), "input": (name,)} | one for one in detected(study, entry)]
    for name, entry in study["defences"].items():
        own = [*of_training(name, entry, study), *of_snapshots(setting, name, study)]
        found += [{"defence": (name,)} | group for group in own]
    for one in study["transfers"]:
        if one["defence"] in study["defences"]:
            found += tested.of_transfer(one, study)
    return found


def of_training(name: str, entry: Entry, study: dict[str, Any]) -> Outline:
    """The rows of every epoch.

    learning_rate  of the epoch
    train/*  the mean of a term of the defence's loss over the epoch, in nats
    train/loss  the sum of these terms
    validation/accuracy  fraction of the held-out images that are classified correctly
    """
    epochs = _training(name, study)["epochs"]
    terms = [term for group in rows_of("defences", entry) for term in group["quantity"]]
    after = ("learning_rate", *(f"train/{term}" for term in (*terms, "loss")))
    return [
        {"stage": ("train",), "epoch": tuple(range(1, epochs + 1)), "quantity": after},
        {
            "stage": ("train",),
            "epoch": tuple(range(epochs + 1)),
            "quantity": ("validation/accuracy",),
        },
    ]


def of_snapshots(setting: dict[str, str], name: str, study: dict[str, Any]) -> Outline:
    """The rows of every snapshot and input: clean, attacked, or what was trained on.

    accuracy  fraction of these images that are classified correctly
    loss  their mean cross-entropy, in nats
    attack_success_rate  of the images correct when clean, the fraction that the attack turns
    """
    training = _training(name, study)
    epochs = {*range(0, training["epochs"], training["snapshot_every"]), training["epochs"]}
    attacked = tuple(study["snapshot_attacks"])
    tested = ("clean", *attacked)
    both = (*tested, "training")  # also of the images that were trained on
    inputs = both if study["training_measure"] else tested
    found = [
        {"input": inputs, "quantity": ("accuracy", "loss")},
        {"input": attacked, "quantity": ("attack_success_rate",)},
    ]
    for measure, entry in study["measures"].items():
        own = {"input": both if measure == study["training_measure"] else tested}
        groups = measured(study["models"][setting["model"]], entry)
        found += [own | {"entry": (measure,)} | group for group in groups]
    told = of_diagnostics(study["snapshot_diagnostics"])
    found += [{"input": ("clean",)} | group for group in told]
    about = {"stage": ("measure",), "epoch": tuple(sorted(epochs))}
    return [about | group for group in found]


def of_selection(setting: dict[str, str], study: dict[str, Any]) -> Outline:
    """The rows of the selection of layers, on held-out images.

    attack_accuracy  fraction correct under the selection's attack, of the network that defends it
    gain  that less the first one's, which defends none
    selected  1 where the layer is taken, otherwise 0
    """
    if setting not in study["selection"]["settings"]:
        return []
    compared = [name for name in study["selection"]["compared"] if name in study["defences"]]
    return [
        {
            "stage": ("select",),
            "defence": (name,),
            "layer": ("+".join(study["defences"][name].get("layers", [])),),
            "quantity": ("attack_accuracy", *(("gain", "selected") if place else ())),
        }
        for place, name in enumerate(compared)
    ]


def _training(name: str, study: dict[str, Any]) -> dict[str, Any]:
    return next(study[section][name] for section in TRAININGS if name in study[section])


def _held(setting: dict[str, str], study: dict[str, Any]) -> str:
    from robustinfo.core import registry

    return registry.reads("datasets", study["datasets"][setting["dataset"]]) or ""
