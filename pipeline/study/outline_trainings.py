"""Expected rows of how networks came about: a part of the outline (outline.py)."""

from typing import Any

from pipeline.study import early
from pipeline.study.external import is_external
from pipeline.study.outline_entries import method_outline
from robustinfo.core.settings import Entry, Outline


def of_origin(name: str, entry: Entry, study: dict[str, Any]) -> Outline:
    """Rows of the training of a network, or of the choice of its epoch; of any other, none."""
    if is_external(entry):
        return []
    if name in early.names(study):
        return of_stop_early(name, study)
    return of_training(name, entry, study)


def of_training(name: str, entry: Entry, study: dict[str, Any]) -> Outline:
    """Rows of every epoch of a training.

    learning_rate  of the epoch
    train/*  the mean of a term of the defence's loss over the epoch, in nats
    train/loss  the sum of these terms
    validation/accuracy  fraction of the held-out images that are classified correctly
    """
    epochs = early.training_of(study, name)["epochs"]
    terms = [term for group in method_outline("defences", entry) for term in group["quantity"]]
    loss_quantities = ("learning_rate", *(f"train/{term}" for term in (*terms, "loss")))
    return [
        {"stage": ("train",), "epoch": tuple(range(1, epochs + 1)), "quantity": loss_quantities},
        {
            "stage": ("train",),
            "epoch": tuple(range(epochs + 1)),
            "quantity": ("validation/accuracy",),
        },
    ]


def of_stop_early(name: str, study: dict[str, Any]) -> Outline:
    """Rows of the epochs among which a network is chosen, on held-out training images.

    accuracy  fraction of these images that are correct, clean or under the attack (input)
    chosen_epoch  the epoch whose network is taken: the most robust one
    """
    attack = next(one["attack"] for one in study[early.SECTION] if one["defence"] == name)
    epochs = early.snapshot_epochs(early.training_of(study, name))[1:]
    shared = {"stage": (early.SECTION,)}
    return [
        shared | {"input": ("clean", attack), "epoch": tuple(epochs), "quantity": ("accuracy",)},
        shared | {"input": (attack,), "quantity": ("chosen_epoch",)},
    ]


def of_selection(setting: dict[str, str], study: dict[str, Any]) -> Outline:
    """Rows of the selection of layers, on held-out images.

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
