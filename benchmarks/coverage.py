"""How often the interval over seeds and images holds the method's mean: what 95 % really covers.

    python -m benchmarks.coverage [--repetitions 200] [--mean 0.41]

A test set of n images that all seeds share. Seed s is right on image i where

    sqrt(alike) d_i + sqrt(1 - alike) e_si  <  the normal quantile of p_s,

d_i being the image's difficulty, e_si the seed's own luck, both standard normal, and p_s, the
network's accuracy over all images there are, normal around the method's mean. ``alike`` 0: seeds
err on other images, each for itself; 1: always on the same ones. Per form of the outcomes, seeds
and ``alike``, the least and the greatest coverage over n and the spread between trainings.
"""

import argparse
from collections.abc import Callable
from itertools import product

import numpy as np
from scipy.special import ndtri

from robustinfo.maths.statistics import Estimate, images, over_images, over_seeds

IMAGES = (150, 1_000, 10_000)
SEEDS = (2, 3, 5)
SPREADS = (0.0, 0.01, 0.02, 0.03, 0.04)
ALIKE = (0.0, 0.6, 0.8, 0.9, 1.0)
GAIN = 0.03  # of the second method over the first

# The outcomes of two methods, (S, n) each -> the estimate of the first, or of their difference.
Form = Callable[[np.ndarray, np.ndarray], Estimate]


def of_images(first: np.ndarray, second: np.ndarray) -> Estimate:
    return over_images(first)


def of_fractions(first: np.ndarray, second: np.ndarray) -> Estimate:
    shares = first.mean(1)
    return over_seeds(shares, images.from_fractions(shares, first.shape[1]))


def of_own(first: np.ndarray, second: np.ndarray) -> Estimate:
    """As of any number that came with the usual interval of its own."""
    shares = first.mean(1)
    reach = 1.96 * first.std(1) / first.shape[1] ** 0.5
    return over_seeds(shares, images.from_intervals(shares, shares - reach, shares + reach))


def paired(first: np.ndarray, second: np.ndarray) -> Estimate:
    return over_images(second, first)


def paired_fractions(first: np.ndarray, second: np.ndarray) -> Estimate:
    one, other = second.mean(1), first.mean(1)
    of, against = (images.from_fractions(shares, first.shape[1]) for shares in (one, other))
    return over_seeds(one - other, images.difference(one.mean(), of, other.mean(), against))


FORMS: dict[str, Form] = {
    "outcome of every image": of_images,
    "fractions": of_fractions,
    "values with own intervals": of_own,
    "difference, every image": paired,
    "difference of fractions": paired_fractions,
}
DIFFERENCES = ("difference, every image", "difference of fractions")


def draw(
    rng: np.random.Generator, mean: float, *, seeds: int, n: int, spread: float, alike: float
) -> tuple[np.ndarray, np.ndarray]:
    """(S, n) bool of two methods on the same images; the second is better by GAIN."""
    difficulty = np.sqrt(alike) * rng.standard_normal(n, dtype=np.float32)

    def outcomes(centre: float) -> np.ndarray:
        accuracy = np.clip(rng.normal(centre, spread, (seeds, 1)), 0.001, 0.999)
        luck = rng.standard_normal((seeds, n), dtype=np.float32)
        return difficulty + np.sqrt(1 - alike, dtype=np.float32) * luck < ndtri(accuracy)

    return outcomes(mean), outcomes(mean + GAIN)


def coverage(
    rng: np.random.Generator, repetitions: int, mean: float, forms: list[str], **setting: float
) -> dict[str, float]:
    """Per form, in which share of the repetitions the interval holds the truth."""
    held = dict.fromkeys(forms, 0)
    for _ in range(repetitions):
        both = draw(rng, mean, **setting)
        for form in forms:
            low, high = FORMS[form](*both).interval
            held[form] += low <= (GAIN if form in DIFFERENCES else mean) <= high
    return {form: count / repetitions for form, count in held.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--mean", type=float, default=0.41)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    found = {form: {} for form in FORMS}
    for seeds, alike in product(SEEDS, ALIKE):
        settings = [dict(n=n, spread=spread) for n, spread in product(IMAGES, SPREADS)]
        held = [
            coverage(
                rng, options.repetitions, options.mean, [*FORMS], seeds=seeds, alike=alike, **one
            )
            for one in settings
        ]
        for form in FORMS:
            shares = [one[form] for one in held]
            found[form][seeds, alike] = f"{100 * min(shares):.1f} to {100 * max(shares):.1f}"
    for form, cells in found.items():
        print(f"{form}\nseeds  " + "".join(f"alike {alike:<10}" for alike in ALIKE))
        for seeds in SEEDS:
            print(f"{seeds:<7}" + "".join(f"{cells[seeds, alike]:<16}" for alike in ALIKE))


if __name__ == "__main__":
    main()
