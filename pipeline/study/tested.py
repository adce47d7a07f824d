"""What the tests of a trained network will call their rows: a part of the outline (outline.py)."""

from typing import Any

from pipeline.study import foretold
from pipeline.study.foretold import levels_of, measured
from pipeline.study.quantities import ALL, FALSE_POSITIVE_RATES, OF_WORDS, said_by
from robustinfo.core.settings import Outline


def of_attacks(study: dict[str, Any], *, images: bool) -> Outline:
    """The rows of every attack.

    accuracy  fraction of the images that are correct, clean and under this attack
    attack_success_rate  of the images correct when clean, the fraction that the attack turns
    attack_success_rate_8bit  the same after rounding to 8 bits
    attack_success_rate_last_step  the same, where only the last step of the attack counts
    attack_success_rate_with_black  the same as foolbox counts it, a black image for a failure
    miscounted_fraction  images that the attack counts as turned and the network does not
    median_l2, median_linf  median distance from the clean image, of the images that were turned
    median_altered_words  median number of words altered, of the texts that were turned
    """
    from robustinfo.core import registry

    rates: tuple[str, ...] = (
        "accuracy",
        "attack_success_rate",
        "attack_success_rate_8bit",
        "miscounted_fraction",
    )
    medians = ("median_l2", "median_linf") if images else ("median_altered_words",)
    found = [{"entry": tuple(study["attacks"]), "quantity": rates + medians}]
    for name, entry in study["attacks"].items():
        counts = registry.hook("attacks", entry, "COUNTS")
        rates = tuple(f"attack_success_rate_{count}" for count in counts)
        found.append({"entry": (name,), "quantity": rates})
    return [{"stage": ("attack",)} | group for group in found]


def of_complexities(study: dict[str, Any], *, images: bool) -> Outline:
    """The rows of every complexity, of clean images and of each attack's successes.

    mean  the complexity on average, in its own unit: bytes, or bits per symbol
    clean_mean  of the same images before the attack
    difference  of texts, the one less the other
    auc  how well the complexity tells them apart: 0.5 is chance, above it attacked is more complex
    true_positive_rate  attacked images that it detects at a false positive rate (level)
    """
    attacks = {"input": tuple(study["attacks"])}
    found = [{"input": ("clean",), "quantity": ("mean",)}]
    if images:
        found.append(attacks | {"quantity": ("mean", "clean_mean", "auc")})
        rates = {"quantity": ("true_positive_rate",), "level": FALSE_POSITIVE_RATES}
        found.append(attacks | rates)
    else:
        found.append(attacks | {"quantity": OF_WORDS})
    about = {"stage": ("complexity",), "entry": tuple(study["complexities"])}
    return [about | group for group in found]


def of_distortions(setting: dict[str, str], study: dict[str, Any]) -> Outline:
    """The rows of every distortion, level and input.

    accuracy  fraction of the distorted images that are classified correctly
    loss  mean cross-entropy of the distorted images, in nats
    */*  a quantity of one of ``distorted.measures``, after that measure's name
    """
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


def of_diagnostics(study: dict[str, Any]) -> Outline:
    """The rows of the diagnostics of the finished network.

    accuracy  fraction of the clean images that are classified correctly
    """
    found = [{"entry": ("clean",), "quantity": ("accuracy",)}, *together(study)]
    found += foretold.of_diagnostics(study["diagnostics"])
    return [{"stage": ("diagnose",)} | group for group in found]


def together(study: dict[str, Any]) -> Outline:
    """Over all attacks of each norm, image by image, and of all; nothing without an epsilon.

    gradient_attacks, autoattack_attacks, decision_based_attacks  number of such attacks made
    robust_accuracy  fraction of all images correct when clean and under every attack of the norm
    *_only_fraction  images that attacks of that role alone break, which others should break, too
    noise_only_rate  of the images that resist everything else, the fraction that noise breaks
    adaptive_shortfall  how much less the adaptive attack finds than the plain one with its steps
    short_search_fraction  images that only weaker attacks broke, and a long gradient search does
    hidden_fraction  images broken by no gradient attack, whose cross-entropy has no slope
    convergence_gain  images that fall only to twice the steps
    restarts_gain  images that fall only to as many starts again
    infeasible_fraction  images that an attack returned outside the ball or [0, 1]
    """
    from robustinfo.judge import follow_up, outcome, threats

    made = [threats.threat(entry) for entry in study["attacks"].values()]
    norms = tuple(dict.fromkeys(one.norm for one in made if one.epsilon is not None))
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
        {"entry": (ALL,), "quantity": ("robust_accuracy",)},
    ]


def of_transfer(transfer: dict[str, str], study: dict[str, Any]) -> Outline:
    """The rows of examples that were made against the proxy, and the threat models with them.

    accuracy  fraction of the images correct when clean and as the proxy's examples
    attack_success_rate  of the images correct when clean, the fraction that these examples turn
    """
    own = {"entry": tuple(study["attacks"]), "input": (transfer["proxy"],)}
    rates = own | {"quantity": ("accuracy", "attack_success_rate")}
    about = {"stage": ("transfer",), "defence": (transfer["defence"],)}
    return [about | group for group in (rates, *together(study))]
