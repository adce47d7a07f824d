"""Names of results that a stage writes and the study check foretells: both read them here."""

ALL = "attacks"  # the entry of what is said over all threat models
NETWORK_ACCURACY = "network_accuracy"
# Of the images that a detector is given.
SIZES = ("attack_success_rate_8bit", "median_l2", "median_linf")
DETECTED = ("mean", "clean_mean", "auc")
FALSE_POSITIVE_RATES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
OF_WORDS = ("mean", "clean_mean", "difference")


def said_by(measure: str, quantity: str) -> str:
    """A quantity by the measure that says it; the entry of these rows names the distortion."""
    return f"{measure}/{quantity}" if measure else quantity
