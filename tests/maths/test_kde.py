import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from robustinfo.maths import near_pairs
from robustinfo.maths.kde import kernel_entropies_bits, total_variance

S2 = 0.1  # the noise variance
UPPER, LOWER = 2 * S2, 8 * S2
BOTH = pytest.mark.parametrize("scale", [UPPER, LOWER])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def kernel_entropies(t, y, scale):
    """By the kernel exp(-|t_i - t_j|^2 / scale), UPPER or LOWER."""
    return kernel_entropies_bits(t, y, S2)[{UPPER: "upper", LOWER: "lower"}[scale]]


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
    assert kernel_entropies(t, one_class(16), scale)[0] == pytest.approx(1, abs=1e-12)


@BOTH
def test_identical_points_carry_nothing(scale):
    assert kernel_entropies(torch.full((9, 3), 7.3), one_class(9), scale) == pytest.approx(
        (0, 0), abs=1e-12
    )


@BOTH
def test_equal_points_count_as_often_as_they_are_there_each_for_its_class(scale):
    few = 0.3 * torch.randn(6, 4, generator=seeded())
    t = few[torch.arange(40) % 6]
    y = torch.arange(40) % 3 + (torch.arange(40) > 30)  # equal points of several classes
    whole, within = kernel_entropies(t, y, scale)
    assert whole == pytest.approx(slow_entropy_bits(t, scale), abs=1e-9)
    parts = [
        (y == c).double().mean().item() * slow_entropy_bits(t[y == c], scale) for c in y.unique()
    ]
    assert within == pytest.approx(sum(parts), abs=1e-9)


@BOTH
def test_points_far_apart_carry_log2_n(scale):
    t = 50.0 * torch.eye(32)
    assert kernel_entropies(t, one_class(32), scale)[0] == pytest.approx(5, abs=1e-12)


@BOTH
def test_it_is_the_printed_formula_also_across_panels(scale, monkeypatch):
    monkeypatch.setattr(near_pairs, "PANEL", 7)  # 30 points: four whole panels and a rest
    t, y = torch.randn(30, 3, generator=seeded()) / 2, torch.arange(30) % 4
    whole, within = kernel_entropies(t, y, scale)
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
    found = kernel_entropies_bits(t, one_class(40), scale / 2)["upper"]
    assert found[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("spread", [0.05, 0.5, 5.0])
def test_the_lower_bound_lies_below_the_upper_one_and_both_between_0_and_log2_n(spread):
    t = spread * torch.randn(64, 4, generator=seeded())
    lower = kernel_entropies(t, one_class(64), LOWER)[0]
    upper = kernel_entropies(t, one_class(64), UPPER)[0]
    assert 0 <= lower < upper <= 6


@BOTH
def test_a_copy_of_the_label_with_far_classes_carries_the_entropy_of_the_label(scale):
    y = torch.tensor([0] * 8 + [1] * 4 + [3] * 4)  # class 2 is absent
    t = 100.0 * torch.nn.functional.one_hot(y).float()
    whole, within = kernel_entropies(t, y, scale)
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
    bound = partial(kernel_entropies, torch.from_numpy(means), one_class(40))
    lower, upper = bound(LOWER)[0], bound(UPPER)[0]
    assert lower < truth - 5 * error and truth + 5 * error < upper


def test_many_samples_of_a_gaussian_input_bracket_half_the_log_of_one_plus_its_snr():
    t = torch.randn(3000, 1, generator=seeded())
    truth = 0.5 * math.log2(1 + 1 / S2)
    lower = kernel_entropies(t, one_class(3000), LOWER)[0]
    upper = kernel_entropies(t, one_class(3000), UPPER)[0]
    assert lower < truth < upper


def by_scipy(t, y, s2):
    """The same from SciPy's distances and logarithms of sums, in double precision."""

    def entropy(of, scale):
        exponents = -cdist(of, of, "sqeuclidean") / scale
        return math.log2(len(of)) - logsumexp(exponents, axis=1).mean() / math.log(2)

    t, y = t.double().numpy(), y.numpy()
    return {
        bound: (
            entropy(t, factor * s2),
            sum((y == c).mean() * entropy(t[y == c], factor * s2) for c in np.unique(y)),
        )
        for bound, factor in {"upper": 2, "lower": 8}.items()
    }


OUTLIER = torch.randn(80, 12, generator=seeded())
OUTLIER[3] = 1e8
CLUSTERS = 0.2 * torch.randn(80, 12, generator=seeded()).double()
CLUSTERS[::2] += 1e6
LAYERS = {
    "plain": (torch.randn(80, 12, generator=seeded()), S2),
    "close points far from the origin": (
        100 + 1e-2 * torch.randn(80, 12, generator=seeded()),
        1e-4,
    ),
    "duplicates": (torch.randn(20, 12, generator=seeded()).repeat(4, 1), S2),
    "constant": (torch.full((80, 12), 0.7), S2),
    "one outlier": (OUTLIER, S2),
    "close points in clusters far apart": (CLUSTERS, S2),
    "one neuron": (torch.randn(80, 1, generator=seeded()), S2),
    "two samples": (torch.randn(2, 12, generator=seeded()), S2),
    "small": (1e-4 * torch.randn(80, 12, generator=seeded()), S2),
    "small, with little noise": (1e-4 * torch.randn(80, 12, generator=seeded()), 1e-8),
    "large": (1e4 * torch.randn(80, 12, generator=seeded()), S2),
    "large, with much noise": (1e4 * torch.randn(80, 12, generator=seeded()), 1e8),
    "wide": (torch.randn(80, 1500, generator=seeded()), 300.0),
}


@pytest.mark.parametrize(("t", "s2"), LAYERS.values(), ids=LAYERS.keys())
@pytest.mark.parametrize("panel", [512, 32])
def test_any_layer_has_the_value_that_scipy_gives_it(t, s2, panel, monkeypatch):
    monkeypatch.setattr(near_pairs, "PANEL", panel)
    y = torch.arange(len(t)) // 2 % 3 - 1
    found, expected = kernel_entropies_bits(t, y, s2), by_scipy(t, y, s2)
    for bound in ("upper", "lower"):
        assert found[bound] == pytest.approx(expected[bound], abs=1e-6)


def test_the_order_of_samples_and_of_neurons_does_not_matter():
    t, y = torch.randn(60, 9, generator=seeded()) / 3, torch.arange(60) % 4
    samples, neurons = torch.randperm(60, generator=seeded()), torch.randperm(9)
    found, other = (
        kernel_entropies_bits(t, y, S2),
        kernel_entropies_bits(t[samples][:, neurons], y[samples], S2),
    )
    for bound in ("upper", "lower"):
        assert found[bound] == pytest.approx(other[bound], abs=1e-9)


def test_without_noise_samples_are_alike_or_are_not():
    t = torch.tensor([[0.0], [0.0], [1e-9], [5.0]])
    for whole, within in kernel_entropies_bits(t, torch.tensor([0, 0, 1, 1]), 0.0).values():
        assert (whole, within) == pytest.approx((1.5, 0.5), abs=1e-12)


def test_the_total_variance_is_half_the_mean_squared_distance_of_pairs():
    t = 50 + torch.randn(40, 1100, generator=seeded())
    direct = cdist(t.double(), t.double(), "sqeuclidean").mean() / 2
    assert total_variance(t) == pytest.approx(direct, rel=1e-12)
    assert total_variance(torch.full((9, 4), 0.1)) == 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_values_are_the_same():
    t, y = torch.randn(700, 30, generator=seeded()).repeat(2, 1), torch.arange(1400) % 5
    there = kernel_entropies_bits(0.3 * t.cuda(), y.cuda(), S2)
    here = kernel_entropies_bits(0.3 * t, y, S2)
    assert all(there[bound] == pytest.approx(here[bound], abs=1e-9) for bound in here)
