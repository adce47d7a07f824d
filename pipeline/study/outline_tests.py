"""Expected rows of the tests of a trained network: a part of the outline (outline.py)."""

from typing import Any

from pipeline.study import outline_entries
from pipeline.study.outline_entries import Layers, of_measure, sweep_levels
from pipeline.study.quantities import (
    FALSE_POSITIVE_RATES,
    MEDIANS,
    UNION,
    WORD_QUANTITIES,
    measure_quantity,
)
from robustinfo.core.settings import Outline


def of_attacks(study: dict[str, Any], *, images: bool) -> Outline:
    """Rows of every attack.

    accuracy  fraction of the images that are correct, clean and under this attack
    attack_success_rate  of the images correct when clean, the fraction that the attack turns
    attack_success_rate_8bit  the same after rounding to 8 bits
    attack_success_rate_last_step  the same, where only the last step of the attack counts
    attack_success_rate_with_black  the same as foolbox counts it, a black image for a failure
    miscounted_fraction  images that the attack counts as turned and the network does not
    median_linf, median_l2, median_l1  median distance of turned images from the clean ones
    median_altered_words  median number of words altered, of the texts that were turned
    """
    from robustinfo.core import registry

    rates: tuple[str, ...] = (
        "accuracy",
        "attack_success_rate",
        "attack_success_rate_8bit",
        "miscounted_fraction",
    )
    medians = MEDIANS if images else ("median_altered_words",)
    outline = [{"entry": tuple(study["attacks"]), "quantity": rates + medians}]
    for name, entry in study["attacks"].items():
        counts = registry.hook("attacks", entry, "COUNTS")
        rates = tuple(f"attack_success_rate_{count}" for count in counts)
        outline.append({"entry": (name,), "quantity": rates})
    return [{"stage": ("attack",)} | group for group in outline]


def of_complexities(study: dict[str, Any], *, images: bool) -> Outline:
    """Rows of every complexity, of clean images and of each attack's successes.

    mean  the complexity on average, in its own unit: bytes, or bits per symbol
    clean_mean  of the same images before the attack
    difference  of texts, the one less the other
    auc  of the complexity as a detector: 0.5 is chance, above it attacked is more complex
    true_positive_rate  attacked images that it detects at a false positive rate (level)
    """
    attacks = {"input": tuple(study["attacks"])}
    groups = [{"input": ("clean",), "quantity": ("mean",)}]
    if images:
        groups.append(attacks | {"quantity": ("mean", "clean_mean", "auc")})
        rates = {"quantity": ("true_positive_rate",), "level": FALSE_POSITIVE_RATES}
        groups.append(attacks | rates)
    else:
        groups.append(attacks | {"quantity": WORD_QUANTITIES})
    shared = {"stage": ("complexity",), "entry": tuple(study["complexities"])}
    return [shared | group for group in groups]


def of_distortions(study: dict[str, Any]) -> Outline:
    """Rows of every distortion, level and input.

    accuracy  fraction of the distorted images that are classified correctly
    loss  mean cross-entropy of the distorted images, in nats
    """
    return _of_distorted(study, [{"quantity": ("accuracy", "loss")}])


def of_distorted_layers(study: dict[str, Any], layers: Layers) -> Outline:
    """Rows of a network's layers on distorted images.

    */*  a quantity of one of ``distorted.measures``, after that measure's name
    """
    groups = []
    for measure in study["distorted"]["measures"]:
        for group in of_measure(layers, study["measures"][measure]):
            quantities = tuple(
                measure_quantity(measure, quantity) for quantity in group["quantity"]
            )
            groups.append(group | {"quantity": quantities})
    return _of_distorted(study, groups)


def _of_distorted(study: dict[str, Any], groups: Outline) -> Outline:
    return [
        {"stage": ("distort",), "entry": (name,), "input": tuple(study["distorted"]["inputs"])}
        | sweep_levels(entry)
        | group
        for name, entry in study["distortions"].items()
        for group in groups
    ]


def of_diagnostics(study: dict[str, Any]) -> Outline:
    """Rows of the diagnostics of the finished network.

    accuracy  fraction of the clean images that are classified correctly
    """
    outline = [{"entry": ("clean",), "quantity": ("accuracy",)}, *of_threat_models(study)]
    outline += outline_entries.of_diagnostics(study["diagnostics"])
    return [{"stage": ("diagnose",)} | group for group in outline]


def of_threat_models(study: dict[str, Any]) -> Outline:
    """Rows over all attacks of each norm, and of the union of norms; none without an epsilon.

    gradient_attacks, autoattack_attacks, decision_based_attacks  number of such attacks made
    robust_accuracy  fraction of all images correct when clean and under every attack of the norm;
      of the entry ``union``, under those of every norm
    *_only_fraction  images that attacks of that role alone break, which others should break, too
    noise_only_rate  of the images that resist everything else, the fraction that noise breaks
    adaptive_shortfall  how much less the adaptive attack finds than the plain one with its steps
    short_search_fraction  images that only weaker attacks broke, and a long gradient search does
    hidden_fraction  images broken by no gradient attack, with a zero gradient of cross-entropy
    convergence_gain  images that fall only to twice the steps
    restarts_gain  images that fall only to as many starts again
    infeasible_fraction  images that an attack returned outside the ball or [0, 1]
    """
    from robustinfo.evaluation import follow_up, outcome, threats

    attack_threats = [threats.threat(entry) for entry in study["attacks"].values()]
    norms = tuple(
        dict.fromkeys(threat.norm for threat in attack_threats if threat.epsilon is not None)
    )
    if not norms:
        return []
    quantities = (
        *threats.ATTACK_COUNTS,
        *outcome.QUANTITIES,
        *follow_up.QUANTITIES,
        "infeasible_fraction",
    )
    return [
        {"entry": norms, "quantity": quantities},
        {"entry": (UNION,), "quantity": ("robust_accuracy",)},
    ]


def of_transfer(transfer: dict[str, str], study: dict[str, Any]) -> Outline:
    """Rows of the proxy's examples tried on the defence, and of the threat models with them.

    accuracy  fraction of the images correct when clean and as the proxy's examples
    attack_success_rate  of the images correct when clean, the fraction that these examples turn
    """
    per_attack = {"entry": tuple(study["attacks"]), "input": (transfer["proxy"],)}
    rates = per_attack | {"quantity": ("accuracy", "attack_success_rate")}
    shared = {"stage": ("transfer",), "defence": (transfer["defence"],)}
    return [shared | group for group in (rates, *of_threat_models(study))]
