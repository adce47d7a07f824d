"""How near an attack comes to the least distances that any attack found: AttackBench's optimality.

Cinà et al. (2024), arXiv 2404.19460. rho_a(e) is the accuracy by epsilon under attack a: the
fraction of images whose distance, by that attack, is above e; rho_* that of the least distance of
all attacks, image by image; e_0 the least epsilon where rho_* is 0. Local optimality is

    (integral from 0 to e_0 of rho(0) - rho_a(e)) / (integral from 0 to e_0 of rho(0) - rho_*(e)),

rho(0) the clean accuracy; a gap is 1 minus it. 1: as near as the best of all on every image; 0:
nothing within e_0. rho is a step curve, whose integral to e_0 is the mean of min(distance, e_0), so
that this is a quotient of sums over images; the authors' code takes trapezia between its steps.

Images that no attack turned keep e_0 infinite in the paper. Here e_0 is the largest least distance
that is finite, and such images count on neither side.
"""

from torch import Tensor


def local_optimality(distances: Tensor, least: Tensor) -> float:
    """Local optimality in [0, 1]; NaN where ``least`` leaves no area.

    distances, least: (n,), of one attack, and the least of all attacks: 0 where the clean image is
    misclassified, infinite where nothing was found.
    """
    right = least > 0
    distances, least = distances[right].double(), least[right].double()
    finite = least[least.isfinite()]
    if not len(finite):
        return float("nan")
    end = finite.amax()
    gained, most = ((end - one.clamp(max=end)).sum() for one in (distances, least))
    return (gained / most).item()
