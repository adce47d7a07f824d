"""Every planted defect: what is wrong, who described it, which checks see it, and the verdict.

Athalye, Carlini, Wagner (2018), arXiv 1802.00420      Carlini et al. (2019), arXiv 1902.06705
Tramèr et al. (2018), arXiv 1705.07204                 Tramèr et al. (2020), arXiv 2002.08347
Carlini, Wagner (2017), arXiv 1705.07263               Pintor et al. (2022), arXiv 2106.09947
Chen, Carlini, Wagner (2019), arXiv 1907.05587
"""

from typing import NamedTuple

from robustinfo.evaluation.checks import ADAPTIVE, NOT_ENOUGH

ATHALYE, CARLINI, PINTOR = "Athalye et al. 2018", "Carlini et al. 2019", "Pintor et al. 2022"
CHEN = "Chen et al. 2019"
TRAMER_2018, TRAMER_2020 = "Tramèr et al. 2018", "Tramèr et al. 2020"
ZOMBORI = "Zombori et al. 2021: a network that float32 computes otherwise"
MISTAKE = "a common mistake, of no paper"
INVALID, MASKED, SHORT = "invalid", "masked", "not converged"
NO_SLOPE = (  # what sees a gradient that is 0, or of nothing
    "flat_fraction", "hidden_fraction", "never_rises_fraction", "black_box_only_fraction",
    "accuracy_at_huge_epsilon", "binarization_missed_fraction",
)  # fmt: skip
UNTRUE = ("miscounted_fraction", "twin_robust_accuracy")


class Defect(NamedTuple):
    """checks: the one made for it first, then others of its class that see it in the smallest
    protocol; without them the verdict is another.
    """

    text: str
    source: str
    verdict: str
    checks: tuple[str, ...]

    @property
    def check(self) -> str:
        """The check that is made for it."""
        return self.checks[0]


def _seen(text: str, source: str, verdict: str, *checks: str) -> Defect:
    return Defect(text, source, verdict, checks)


DEFECTS = {
    # In front of the network.
    "quantised": _seen(
        "input rounded to 16 greys", f"{ATHALYE}: quantisation", MASKED, *NO_SLOPE),
    "detached": _seen(
        "input detached from the graph", f"{ATHALYE}: shattered gradients", MASKED,
        "no_gradient_fraction", *NO_SLOPE),
    "jpeg": _seen(
        "JPEG in front, without a gradient", f"{ATHALYE}: JPEG (Guo et al. 2018)", MASKED,
        "no_gradient_fraction", *NO_SLOPE),
    "thermometer": _seen(
        "thermometer encoding", f"{ATHALYE}: thermometer encoding (Buckman et al. 2018)", MASKED,
        "no_gradient_fraction", *NO_SLOPE),
    "nearest": _seen(
        "input replaced by the most similar training images",
        f"{ATHALYE}: PixelDefend, Defense-GAN (projection without a gradient)", MASKED,
        "no_gradient_fraction", *NO_SLOPE[:-1]),
    "purified": _seen(
        "twelve steps of a recurrent denoiser",
        f"{ATHALYE}: vanishing gradients of a long computation", MASKED, *NO_SLOPE),
    "nan": _seen(
        "gradient NaN at black pixels", f"{ATHALYE}: numeric instability", MASKED,
        "no_gradient_fraction", "flat_fraction"),
    "rippled": _seen(
        "ripples of a tenth of a grey value, attacked on the cross-entropy",
        f"{ATHALYE}: shattered gradients", SHORT, "unconverged_fraction",
        "short_search_fraction"),
    "staircase": _seen(
        "gradient 0 at stored images, attacked from there alone",
        f"{TRAMER_2018}: masked at the data, not around (random start)", MASKED,
        "hidden_fraction"),
    # Within the network.
    "winners": _seen(
        "k-winners-take-all and small steps",
        f"{TRAMER_2020}: k-winners-take-all (Xiao et al. 2020)", SHORT, "short_search_fraction",
        "convergence_gain"),
    "turned": _seen(
        "backward pass of the other sign", f"{ATHALYE}: a backward pass that does not fit", MASKED,
        "never_rises_fraction", "black_box_only_fraction", "accuracy_at_huge_epsilon",
        "binarization_missed_fraction"),
    "watching": _seen(
        "other answers where gradients are recorded", MISTAKE, MASKED, "black_box_only_fraction",
        "single_step_only_fraction", "accuracy_at_huge_epsilon", "binarization_missed_fraction"),
    "batch_norm": _seen(
        "BatchNorm in training mode", MISTAKE, INVALID, "batch_dependent_fraction",
        "miscounted_fraction"),
    "running": _seen(
        "running statistics that go on in eval mode", MISTAKE, INVALID, "weights_changed"),
    # What the network gives.
    "softmax": _seen(
        "softmax in the network", f"{CARLINI}: saturated losses", INVALID,
        "probabilities_fraction"),
    "log_softmax": _seen(
        "log-softmax before the margin loss", MISTAKE, NOT_ENOUGH, "log_probabilities_fraction"),
    "log_of_softmax": _seen(
        "logarithm of a softmax that underflows", f"{ATHALYE}: numeric instability", INVALID,
        "nonfinite_fraction"),
    "saturated": _seen(
        "logits times 1,000, attacked on the cross-entropy",
        f"{CARLINI}: defensive distillation; {TRAMER_2020}: ensemble diversity", MASKED,
        "hidden_fraction"),
    "codes": _seen(
        "error-correcting codes of saturated bits",
        f"{TRAMER_2020}: error-correcting output codes (Verma and Swami 2019)", MASKED,
        "hidden_fraction", "never_rises_fraction", "black_box_only_fraction",
        "accuracy_at_huge_epsilon"),
    "votes": _seen(
        "majority vote of networks of mixed precision", f"{TRAMER_2020}: EMPIR (Sen et al. 2020)",
        MASKED, "no_gradient_fraction", *NO_SLOPE, "noise_only_fraction"),
    "permuted": _seen(
        "classes in another order", f"{CARLINI}: clean accuracy first", INVALID, "clean_accuracy"),
    # Answers by chance.
    "noise": _seen(
        "noise added to every input", f"{ATHALYE}: stochastic gradients", ADAPTIVE,
        "forwards_differ_fraction"),
    "resized": _seen(
        "input resized and padded at random", f"{ATHALYE}: Xie et al. 2018", ADAPTIVE,
        "forwards_differ_fraction"),
    "wearied": _seen(
        "one answer in ten at random, once it has been asked often",
        f"{CHEN}: a memory of what was asked", INVALID, "zero_epsilon_gap",
        "miscounted_fraction"),
    "pruned": _seen(
        "activations pruned at random",
        f"{ATHALYE}: stochastic activation pruning (Dhillon et al. 2018)", ADAPTIVE,
        "forwards_differ_fraction"),
    # Attacks that leave the ball, or count wrongly.
    "bounds": _seen(
        "attack in [-1, 1]", f"{PINTOR}: implementation errors", INVALID, "infeasible_fraction",
        *UNTRUE),
    "normalised": _seen(
        "attack on normalised inputs", MISTAKE, INVALID, "infeasible_fraction",
        "twin_robust_accuracy"),
    "drifting": _seen(
        "projected to the ball around the last step", f"{PINTOR}: implementation errors", INVALID,
        "infeasible_fraction"),
    "black": _seen(
        "black images are successes", MISTAKE, INVALID, "infeasible_fraction",
        "miscounted_fraction"),
    "clean_errors": _seen(
        "clean errors are successes", f"{CARLINI}: success is of images that were right", INVALID,
        "miscounted_fraction"),
    "without_front": _seen(
        "successes counted on the network without its front",
        f"{CARLINI}: attack the whole defence", INVALID, *UNTRUE),
    "training": _seen(
        "attack in training mode, dropout and all", MISTAKE, INVALID, *UNTRUE),
    "silent": _seen(
        "errors that the network is not sure of are not claimed", f"{PINTOR}: silent success",
        INVALID, "miscounted_fraction"),
    # Attacks that hardly attack.
    "few_steps": _seen(
        "three steps that end early", f"{CARLINI}: convergence", INVALID, "convergence_gain",
        "twin_robust_accuracy"),
    "unit": _seen(
        "epsilon divided by 255 once more", MISTAKE, INVALID, "twin_robust_accuracy"),
    "descending": _seen(
        "steps against the gradient of the loss", f"{PINTOR}: implementation errors", INVALID,
        "twin_robust_accuracy"),
    "faint": _seen(
        "steps as long as the gradient, which is faint", f"{PINTOR}: step size", INVALID,
        "twin_robust_accuracy"),
    "transfer_only": _seen(
        "transferred images alone", f"{CARLINI}: transfer is no white-box attack", INVALID,
        "gradient_attacks"),
    # What a bound proves, and float32 does not keep.
    "absorbed": _seen(
        "a 1 that is lost beside a large number, which black pixels make", ZOMBORI, INVALID,
        "certified_broken_fraction"),
    # Attacks that do not know the defence, or are led away by it.
    "fixed_weight": _seen(
        "adaptive attack that its term leads away", f"{TRAMER_2020}: losses of several terms",
        INVALID, "adaptive_shortfall"),
    "detector": _seen(
        "detector that the attacks do not know",
        f"Carlini and Wagner 2017; {TRAMER_2020}: The Odds are Odd", MASKED,
        "adaptive_only_fraction", "rise_with_epsilon", "accuracy_at_huge_epsilon"),
}  # fmt: skip
