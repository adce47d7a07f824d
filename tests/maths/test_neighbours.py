"""Nearest neighbours against closed forms, scikit-learn, and a twin that counts one by one."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial import KDTree
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression
from torch.nn import functional as F

from robustinfo.core.errors import UserError
from robustinfo.maths.neighbours import ksg_bits, ksg_ceiling_bits, ross_bits

BOTH = pytest.mark.parametrize("rectangles", [False, True], ids=["cubes", "rectangles"])


def normal(n, d, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator, dtype=torch.float64)


def correlated(n, d, rho, seed=0):
    """Two sides whose coordinates are correlated one by one: -d/2 log2(1 - rho^2) bits."""
    x = normal(n, d, seed)
    return x, rho * x + (1 - rho**2) ** 0.5 * normal(n, d, seed + 1000)


def slow_ksg(x, t, k, rectangles):
    """By scipy's trees, sample by sample."""
    sides = [
        (side - side.mean(0)) / (side - side.mean(0)).square().mean().sqrt() for side in (x, t)
    ]
    x, t = (side.numpy() for side in sides)
    n, tree, terms = len(x), KDTree(np.hstack([x, t])), []
    for i in range(n):
        distances, near = tree.query(np.hstack([x[i], t[i]]), k + 1, p=np.inf)
        apart = [np.abs(side - side[i]).max(1) for side in (x, t)]
        if rectangles:
            counts = [(one <= one[near].max()).sum() - 1 for one in apart]
            terms.append(digamma(k) - 1 / k - sum(digamma(c) for c in counts))
        else:
            counts = [(one < distances[-1]).sum() for one in apart]
            terms.append(digamma(k) - sum(digamma(c) for c in counts))
    return (np.mean(terms) + digamma(n)) / math.log(2)


def slow_ross(t, y, k):
    """By all distances on the line, sample by sample."""
    kept = np.array([(y == label).sum() > 1 for label in y])
    t, y = t[kept], y[kept]
    terms = []
    for point, label in zip(t, y, strict=True):
        apart = np.abs(t - point)
        own = np.sort(apart[y == label])
        near = min(k, len(own) - 1)
        inside = (apart < own[near]).sum()
        terms.append(digamma(near) - digamma(len(own)) - digamma(inside))
    return (np.mean(terms) + digamma(len(t))) / math.log(2)


@BOTH
@pytest.mark.parametrize("d", [1, 2, 3])
def test_ksg_has_the_information_of_a_gaussian_in_one_to_three_dimensions(d, rectangles):
    """-d/2 log2(1 - rho^2); the mean of eight sets, within five errors and a bias of 5 %."""
    rho = 0.7
    found = [ksg_bits(*correlated(1500, d, rho, seed), rectangles=rectangles) for seed in range(8)]
    truth = -d / 2 * math.log2(1 - rho**2)
    error = 5 * np.std(found, ddof=1) / 8**0.5
    assert np.mean(found) == pytest.approx(truth, abs=error + 0.05 * truth)


@BOTH
@pytest.mark.parametrize(("n", "d", "k"), [(60, 1, 1), (90, 2, 3), (300, 4, 7)])
def test_ksg_is_its_twin_that_counts_sample_by_sample(n, d, k, rectangles):
    x, t = correlated(n, d, 0.6)
    assert ksg_bits(x, t, k, rectangles=rectangles) == pytest.approx(slow_ksg(x, t, k, rectangles))


@pytest.mark.parametrize("k", [1, 3, 10])
@pytest.mark.parametrize("n", [50, 700])
def test_in_one_dimension_ksg_is_scikit_learn_s(n, k):
    x, t = correlated(n, 1, 0.8)
    (theirs,) = mutual_info_regression(x.numpy(), t[:, 0].numpy(), n_neighbors=k, random_state=0)
    assert ksg_bits(x, t, k) == pytest.approx(theirs / math.log(2), abs=1e-9)


@pytest.mark.parametrize("k", [1, 3, 10])
@pytest.mark.parametrize("sizes", [(40, 40), (200, 50, 5), (30, 1, 30)])
def test_in_one_dimension_ross_is_scikit_learn_s_also_with_small_and_single_classes(sizes, k):
    """But for a few samples that scikit-learn counts at their own radius, by its rounding."""
    y = torch.cat([torch.full((size,), c) for c, size in enumerate(sizes)])
    t = normal(len(y), 1) + y[:, None]
    (theirs,) = mutual_info_classif(t.numpy(), y.numpy(), n_neighbors=k, random_state=0)
    found, ceiling = ross_bits(t, y, k)
    assert found == pytest.approx(slow_ross(t[:, 0].numpy(), y.numpy(), k), abs=1e-9)
    assert max(found, 0) == pytest.approx(theirs / math.log(2), abs=1e-3)
    assert found <= ceiling


@BOTH
def test_what_is_independent_holds_nothing_in_the_mean(rectangles):
    found = [
        ksg_bits(normal(200, 2, s), normal(200, 2, s + 50), rectangles=rectangles)
        for s in range(30)
    ]
    assert abs(np.mean(found)) < 5 * np.std(found) / 30**0.5 and min(found) < 0 < max(found)
    labels = [ross_bits(normal(200, 2, s), torch.arange(200) % 4)[0] for s in range(30)]
    assert abs(np.mean(labels)) < 5 * np.std(labels) / 30**0.5


@BOTH
def test_ksg_does_not_see_order_scale_place_or_which_side_is_which(rectangles):
    x, t = correlated(400, 2, 0.6)
    found = ksg_bits(x, t, rectangles=rectangles)
    mixed = torch.randperm(400, generator=torch.Generator().manual_seed(1))
    for other in ((x[mixed], t[mixed]), (1e-3 * x + 7, -1e4 * t), (t, x), (x.flip(1), t)):
        assert ksg_bits(*other, rectangles=rectangles) == pytest.approx(found, abs=1e-9)


@BOTH
def test_a_monotone_map_changes_ksg_little(rectangles):
    """Information is the same for any map that can be undone; neighbourhoods are not quite."""
    x, t = correlated(2000, 1, 0.8)
    found = ksg_bits(x, t, rectangles=rectangles)
    for mapped in (t.tanh(), t + 0.3 * t**3, t.exp()):
        assert ksg_bits(x, mapped, rectangles=rectangles) == pytest.approx(found, rel=0.06)


def test_ross_does_not_see_order_scale_place_or_a_turn():
    y, t = torch.arange(300) % 3, normal(300, 3)
    t[:, 0] += y
    turn = torch.linalg.qr(normal(3, 3, 9)).Q
    found, _ = ross_bits(t, y)
    mixed = torch.randperm(300, generator=torch.Generator().manual_seed(1))
    for points, labels in ((t[mixed], y[mixed]), (50 * t - 3, y), (t @ turn, y), (t, 7 - y)):
        assert ross_bits(points, labels)[0] == pytest.approx(found, abs=1e-9)


@BOTH
@pytest.mark.parametrize("k", [1, 3, 8])
def test_no_dependence_is_above_the_ceiling_and_a_nearly_exact_one_is_at_it(k, rectangles):
    x = normal(300, 2)
    near = x + 1e-9 * normal(300, 2, 1)
    ceiling = ksg_ceiling_bits(300, k)
    assert ceiling == pytest.approx((digamma(300) - digamma(k + 1)) / math.log(2))
    assert ksg_bits(x, near, k, rectangles=rectangles) == pytest.approx(ceiling, rel=0.01)
    copy = ksg_bits(x, x, k, rectangles=rectangles)
    assert copy <= (ceiling if rectangles else (digamma(300) - digamma(k)) / math.log(2)) + 1e-9


@BOTH
def test_copies_of_a_label_carry_its_entropy(rectangles):
    """Samples that coincide: psi(n) - psi(n_c) is log2(n / n_c) within 1 / n_c."""
    y = torch.arange(400) % 4
    t = F.one_hot(y).double()
    assert ksg_bits(t, 3 * t, rectangles=rectangles) == pytest.approx(2, abs=0.02)
    found, ceiling = ross_bits(t, y)
    assert found == pytest.approx(2, abs=0.02) and found == ceiling


@BOTH
def test_ksg_of_a_label_is_ross_s_value(rectangles):
    y = torch.arange(400) % 4
    t = normal(400, 1) + y[:, None]
    apart = 1e6 * F.one_hot(y).double()
    assert ksg_bits(apart, t, rectangles=rectangles) == pytest.approx(ross_bits(t, y)[0], abs=1e-9)


@BOTH
def test_a_constant_holds_nothing(rectangles):
    x, flat, y = normal(50, 2), torch.full((50, 3), 0.7), torch.arange(50) % 2
    assert ksg_bits(x, flat, rectangles=rectangles) == pytest.approx(0, abs=1e-9)
    assert ross_bits(flat, y)[0] == pytest.approx(0, abs=1e-9)


def test_points_at_equal_distances_leave_the_label_below_its_entropy():
    t = torch.arange(60.0)[:, None]
    found, ceiling = ross_bits(t, torch.arange(60) % 2)
    assert found < 0 < ceiling
    found, ceiling = ross_bits(t, (torch.arange(60) >= 30).long())
    assert 0.5 < found <= ceiling


def test_too_few_samples_are_refused_with_how_many_it_takes():
    with pytest.raises(UserError, match="4 samples are too few for 3 neighbours: give 5 or more"):
        ksg_bits(normal(4, 2), normal(4, 2), 3)
    with pytest.raises(UserError, match="none of 5 samples shares its label"):
        ross_bits(normal(5, 2), torch.arange(5))
