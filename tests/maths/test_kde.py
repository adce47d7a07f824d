import math
from functools import partial

import numpy as np
import pytest
import torch

from robustinfo.maths import kde
from robustinfo.maths.kde import kernel_entropies_bits

S2 = 0.1  # the noise variance
UPPER, LOWER = 2 * S2, 8 * S2
BOTH = pytest.mark.parametrize("scale", [UPPER, LOWER])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def one_class(n):
    return torch.zeros(n, dtype=torch.int64)


def slow_entropy_bits(t, scale):
    """The printed formula, one pair at a time."""
    n = len(t)
    total = 0.0
    for a in t.tolist():
        total += math.log2(
            sum(math.exp(-sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) / scale)
                for b in t.tolist())
        )  # fmt: skip
    return math.log2(n) - total / n


@BOTH
def test_two_far_clusters_are_one_bit(scale):
    t = torch.tensor([[0.0, 0.0]] * 8 + [[100.0, -100.0]] * 8)
    assert kernel_entropies_bits(t, one_class(16), scale)[0] == pytest.approx(1, abs=1e-12)


@BOTH
def test_identical_points_carry_nothing(scale):
    assert kernel_entropies_bits(torch.full((9, 3), 7.3), one_class(9), scale) == pytest.approx(
        (0, 0), abs=1e-12
    )


@BOTH
def test_points_far_apart_carry_log2_n(scale):
    t = 50.0 * torch.eye(32)
    assert kernel_entropies_bits(t, one_class(32), scale)[0] == pytest.approx(5, abs=1e-12)


@BOTH
def test_it_is_the_printed_formula_also_across_panels(scale, monkeypatch):
    monkeypatch.setattr(kde, "PANEL", 7)  # 30 points: four whole panels and a rest
    t, y = torch.randn(30, 3, generator=seeded()) / 2, torch.arange(30) % 4
    whole, within = kernel_entropies_bits(t, y, scale)
    slow_within = sum(
        (y == c).double().mean().item() * slow_entropy_bits(t[y == c], scale) for c in range(4)
    )
    assert whole == pytest.approx(slow_entropy_bits(t, scale), abs=1e-6)
    assert within == pytest.approx(slow_within, abs=1e-6)


def test_near_duplicates_far_from_the_origin_keep_their_digits():
    t = 100 + 1e-3 * torch.randn(40, 200, generator=seeded())
    assert t.dtype == torch.float32
    scale = 4e-4  # about the mean squared distance: every digit matters
    direct = (t.double()[:, None] - t.double()).square().sum(2)
    expected = math.log2(40) - (-direct / scale).exp().sum(1).log2().mean().item()
    assert 1 < expected < math.log2(40) - 0.1
    assert kernel_entropies_bits(t, one_class(40), scale)[0] == pytest.approx(expected, abs=1e-9)


def test_squared_distances_are_the_direct_ones_and_never_negative():
    a, b = torch.randn(12, 5, generator=seeded()), torch.randn(9, 5, generator=seeded(1))
    direct = (a.double()[:, None] - b.double()).square().sum(2)
    torch.testing.assert_close(kde.squared_distances(a, b), direct)
    assert (kde.squared_distances(1e6 + a, 1e6 + a) >= 0).all()


@pytest.mark.parametrize("spread", [0.05, 0.5, 5.0])
def test_the_lower_bound_lies_below_the_upper_one_and_both_between_0_and_log2_n(spread):
    t = spread * torch.randn(64, 4, generator=seeded())
    lower = kernel_entropies_bits(t, one_class(64), LOWER)[0]
    upper = kernel_entropies_bits(t, one_class(64), UPPER)[0]
    assert 0 <= lower < upper <= 6


@BOTH
def test_a_copy_of_the_label_with_far_classes_carries_the_entropy_of_the_label(scale):
    y = torch.tensor([0] * 8 + [1] * 4 + [3] * 4)  # class 2 is absent
    t = 100.0 * torch.nn.functional.one_hot(y).float()
    whole, within = kernel_entropies_bits(t, y, scale)
    assert (whole, within) == pytest.approx((1.5, 0), abs=1e-12)


def test_the_bounds_bracket_the_information_of_a_gaussian_channel():
    rng = np.random.default_rng(0)
    means = rng.normal(0, 0.7, (40, 2))  # X is one of 40 points; T = X + N(0, s^2 I)
    x = rng.integers(40, size=100_000)
    t = means[x] + rng.normal(0, S2**0.5, (len(x), 2))
    exponents = -((t[:, None] - means) ** 2).sum(2) / (2 * S2)
    own = exponents[np.arange(len(x)), x]
    drawn = (own - np.log(np.exp(exponents).mean(1))) / np.log(2)  # log2 p(t | x) / p(t)
    truth, error = drawn.mean(), drawn.std() / len(x) ** 0.5
    bound = partial(kernel_entropies_bits, torch.from_numpy(means), one_class(40))
    lower, upper = bound(LOWER)[0], bound(UPPER)[0]
    assert lower < truth - 5 * error and truth + 5 * error < upper


def test_many_samples_of_a_gaussian_input_bracket_half_the_log_of_one_plus_its_snr():
    t = torch.randn(3000, 1, generator=seeded())
    truth = 0.5 * math.log2(1 + 1 / S2)
    lower = kernel_entropies_bits(t, one_class(3000), LOWER)[0]
    upper = kernel_entropies_bits(t, one_class(3000), UPPER)[0]
    assert lower < truth < upper
