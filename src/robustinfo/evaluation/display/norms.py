"""What pages, figures and tables call the norms, and what a threat model in them allows."""

from typing import NamedTuple

from robustinfo.core.settings import Norm


class Words(NamedTuple):
    """Of one norm."""

    symbol: str
    latex: str  # in mathematics
    allows: str  # a sentence without its end; {size}: epsilon


NORMS: dict[Norm, Words] = {
    "linf": Words("L∞", r"\ell_\infty", "Every pixel may change by at most {size}"),
    "l2": Words(
        "L2",
        r"\ell_2",
        "All changes of an image together may have a Euclidean length of at most {size}",
    ),
    "l1": Words(
        "L1",
        r"\ell_1",
        "All changes of an image's pixel values may add up to at most {size}",
    ),
}
