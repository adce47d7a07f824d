"""What evaluation.json holds of bounds."""

from robustinfo.core.settings import Fraction01, Settings
from robustinfo.evaluation.report.fields import Interval


class Certified(Settings):
    accuracy: Fraction01 | None  # None: the network has no bound
    interval: Interval | None = None
    by_intervals: Fraction01 | None = None
    by_relaxation: Fraction01 | None = None
    n: int | None = None  # images
    no_bound: str  # the operation without a bound, and its layer; empty: every one has one
