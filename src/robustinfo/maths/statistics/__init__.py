"""Statistics of the whole project: intervals, p-values and corrections, in one place.

fractions  Wilson's interval of a fraction of images; the number of images that a decision needs
paired     McNemar's test and Tango's interval of paired outcomes
runs       a method's mean over seeds and images; ``images`` gives the images' part of its interval
estimates  an estimate with its interval and p-value; the worst of several; Holm's correction
sample_size  the images, or seeds, that show a difference in 80 % of all cases
partial    a correlation once other variables are taken out of both
ranks      Student's interval, Spearman's correlation, the jackknife
"""

from robustinfo.maths.statistics import images
from robustinfo.maths.statistics.estimates import (
    Bounds,
    Estimate,
    exact,
    holm,
    p_value,
    unknown,
    worst,
)
from robustinfo.maths.statistics.fractions import LEVEL, TAIL, fraction_interval, images_needed
from robustinfo.maths.statistics.paired import mcnemar, paired_difference, tango
from robustinfo.maths.statistics.partial import partial_correlation
from robustinfo.maths.statistics.ranks import jackknife, spearman, student
from robustinfo.maths.statistics.runs import over_images, over_seeds
from robustinfo.maths.statistics.sample_size import images_to_tell_apart, seeds_to_tell_apart

__all__ = [
    "LEVEL", "TAIL", "Bounds", "Estimate", "exact", "fraction_interval", "holm", "images",
    "images_needed", "images_to_tell_apart", "jackknife", "mcnemar", "over_images", "over_seeds",
    "p_value", "paired_difference", "partial_correlation", "seeds_to_tell_apart", "spearman",
    "student", "tango", "unknown", "worst",
]  # fmt: skip
