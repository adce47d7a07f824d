"""McNemar's exact test of two things tried on the same images."""

from scipy.stats import binomtest


def mcnemar(b: int, c: int) -> float:
    """The two-sided p of McNemar (1947), exact: b of one kind and c of the other are even chances.

    b: images where only the first succeeds, c: where only the second does. The others say nothing,
    and where there are no such images, p is 1.
    """
    return float(binomtest(b, b + c).pvalue) if b + c else 1.0
