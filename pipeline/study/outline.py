"""What the results of a study will be called, known before any job: the rows, without their values.

A group of rows maps columns of rows.py to the values that occur there; its rows are all
combinations. A column that it lacks is empty. What methods call theirs, their own ``outline`` says.
"""

from typing import Any

from pipeline.study.foretold import detected, learned, levels_of, measured, of_diagnostics, rows_of
from pipeline.study.slices import TRAININGS, in_setting
from robustinfo.core.settings import Entry, Outline


def of_study(study: dict[str, Any]) -> Outline:
    """The groups of every setting, and of every toy, which has no setting."""
    found = []
    for setting in study["settings"]:
        about = {name: (value,) for name, value in setting.items()}
        own = in_setting(study, setting)
        for group in (*_of_defences(setting, own), *_of_selection(setting, own)):
            found.append({"defence": tuple(own["defences"])} | about | group)
    for name, entry in study["toys"].items():
        found += [{"stage": ("toy",), "entry": (name,)} | one for one in rows_of("toys", entry)]
    seeds = {"seed": tuple(study["seeds"])}
    return [seeds | group for group in found]


def _of_defences(setting: dict[str, str], study: dict[str, Any]) -> Outline:
    """What all defences of a setting have alike, then what each has of its own."""
    found = [{"stage": ("data",), "quantity": ("classes",)}]
    images = _held(setting, study) == "images"
    found += _of_attacks(study, images=images)
    found += _of_complexities(study, images=images)
    found += _of_distortions(setting, study)
    found += _of_diagnostics(study)
    for name, entry in study["learning"].items():
        found += [{"stage": ("learn",), "entry": (name,)} | one for one in learned(entry)]
    for name, entry in study["detection"].items():
        found += [{"stage": ("detect",), "input": (name,)} | one for one in detected(study, entry)]
    for name, entry in study["defences"].items():
        own = [*_of_training(name, entry, study), *_of_snapshots(setting, name, study)]
        found += [{"defence": (name,)} | group for group in own]
    for one in study["transfers"]:
        if one["defence"] in study["defences"]:
            found += _of_transfer(one, study)
    return found


def _of_attacks(study: dict[str, Any], *, images: bool) -> Outline:
    from robustinfo.core import registry

    rates = ("accuracy", "attack_success_rate", "attack_success_rate_8bit", "miscounted_fraction")
    medians = ("median_l2", "median_linf") if images else ("median_altered_words",)
    found = [{"entry": tuple(study["attacks"]), "quantity": rates + medians}]
    for name, entry in study["attacks"].items():
        counts = getattr(registry.module("attacks", entry), "COUNTS", ())
        rates = tuple(f"attack_success_rate_{count}" for count in counts)
        found.append({"entry": (name,), "quantity": rates})
    return [{"stage": ("attack",)} | group for group in found]


def _of_complexities(study: dict[str, Any], *, images: bool) -> Outline:
    from pipeline.results import corpora
    from pipeline.stages import complexity

    attacks = {"input": tuple(study["attacks"])}
    found = [{"input": ("clean",), "quantity": ("mean",)}]
    if images:
        found.append(attacks | {"quantity": ("mean", "clean_mean", "auc")})
        rates = {"quantity": ("true_positive_rate",), "level": complexity.FALSE_POSITIVE_RATES}
        found.append(attacks | rates)
    else:
        found.append(attacks | {"quantity": corpora.QUANTITIES})
    about = {"stage": ("complexity",), "entry": tuple(study["complexities"])}
    return [about | group for group in found]


def _of_distortions(setting: dict[str, str], study: dict[str, Any]) -> Outline:
    from pipeline.stages.distort import said_by

    seen = [{"quantity": ("accuracy", "loss")}]
    for measure in study["distorted"]["measures"]:
        for group in measured(study["models"][setting["model"]], study["measures"][measure]):
            named = tuple(said_by(measure, quantity) for quantity in group["quantity"])
            seen.append(group | {"quantity": named})
    return [
        {"stage": ("distort",), "entry": (name,), "input": tuple(study["distorted"]["inputs"])}
        | levels_of(entry)
        | group
        for name, entry in study["distortions"].items()
        for group in seen
    ]


def _of_diagnostics(study: dict[str, Any]) -> Outline:
    found = [{"entry": ("clean",), "quantity": ("accuracy",)}, *_together(study)]
    found += of_diagnostics(study["diagnostics"])
    return [{"stage": ("diagnose",)} | group for group in found]


def _together(study: dict[str, Any]) -> Outline:
    """Over all attacks of each norm, image by image, and of all; nothing without an epsilon."""
    from pipeline.results.combined import ALL
    from robustinfo.judge import follow_up, outcome, threats

    made = [threats.threat(entry) for entry in study["attacks"].values()]
    norms = tuple(dict.fromkeys(one.norm for one in made if one.epsilon is not None))
    if not norms:
        return []
    quantities = (
        *threats.COUNTED,
        *outcome.QUANTITIES,
        *follow_up.QUANTITIES,
        "infeasible_fraction",
    )
    return [
        {"entry": norms, "quantity": quantities},
        {"entry": (ALL,), "quantity": ("robust_accuracy",)},
    ]


def _of_transfer(transfer: dict[str, str], study: dict[str, Any]) -> Outline:
    own = {"entry": tuple(study["attacks"]), "input": (transfer["proxy"],)}
    rates = own | {"quantity": ("accuracy", "attack_success_rate")}
    about = {"stage": ("transfer",), "defence": (transfer["defence"],)}
    return [about | group for group in (rates, *_together(study))]


def _of_training(name: str, entry: Entry, study: dict[str, Any]) -> Outline:
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


def _of_snapshots(setting: dict[str, str], name: str, study: dict[str, Any]) -> Outline:
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


def _of_selection(setting: dict[str, str], study: dict[str, Any]) -> Outline:
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

    return registry.reads("datasets", study["datasets"][setting["dataset"]])
