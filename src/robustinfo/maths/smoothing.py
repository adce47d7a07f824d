"""What the votes of noisy copies of an image prove: Cohen et al. (2019), arXiv 1902.02918.

The smoothed classifier gives the class that a base classifier gives most often to x + e, with e of
N(0, sigma^2). If that class has a probability of at least p > 1/2, no perturbation of an l2 length
below
    sigma Phi^-1(p)
changes it (theorem 1 with p_B = 1 - p_A). p is bounded from below by the votes counted.
"""

from scipy.special import betaincinv, ndtri


def clopper_pearson(count: int, n: int, alpha: float) -> float:
    """The one-sided lower bound of a probability, of ``count`` successes in n, at 1 - alpha."""
    return float(betaincinv(count, n - count + 1, alpha)) if count else 0.0


def certified_radius(count: int, n: int, *, sigma: float, alpha: float) -> float | None:
    """The l2 radius that ``count`` of n votes prove, but with probability alpha; None: nothing."""
    least = clopper_pearson(count, n, alpha)
    return sigma * float(ndtri(least)) if least > 0.5 else None
