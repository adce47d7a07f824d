import math

import pytest
import torch
from sklearn.metrics.pairwise import rbf_kernel
from torch.nn import functional as F

from robustinfo.maths.kernels import centred, gaussian, gaussian_label, median_sigma, same_label


def samples(m, d, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(m, d, generator=generator, dtype=dtype)


def test_it_is_the_kernel_of_scikit_learn_less_one():
    t = samples(20, 7)
    expected = rbf_kernel(t.numpy(), gamma=1 / (2 * 0.8**2 * 7)) - 1
    torch.testing.assert_close(gaussian(t, 0.8), torch.from_numpy(expected))


def test_close_samples_keep_their_digits_where_the_kernel_itself_would_lose_them():
    """A hundredth of a unit apart the kernel is 1 - 2e-6: of that, float32 has one digit."""
    t = samples(30, 40)
    exact, single = gaussian(0.01 * t, 5.0), gaussian((0.01 * t).float(), 5.0)
    off = (single - exact).abs().max() / exact.abs().max()
    naive = ((exact + 1).float() - 1 - exact).abs().max() / exact.abs().max()
    assert off < 1e-6 and naive > 1e-3


def test_far_from_the_origin_float32_is_as_good():
    t = samples(30, 40).float() + 1000  # rounded here, so that both see the same samples
    exact = gaussian(t.double(), 5.0)
    assert (gaussian(t, 5.0) - exact).abs().max() < 1e-5 * exact.abs().max()


@pytest.mark.parametrize("shape", [(6, 3), (2, 5, 4)])
def test_its_gradient_is_that_of_finite_differences(shape):
    generator = torch.Generator().manual_seed(0)
    t = torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: gaussian(t, 0.7), t)


def test_coinciding_samples_have_a_gradient_of_zero_from_each_other():
    t = torch.ones(4, 3, requires_grad=True)
    gaussian(t, 1.0).sum().backward()
    assert not t.grad.any()


def test_many_kernels_at_once_are_those_one_by_one():
    t = torch.stack([samples(9, 5, seed) for seed in range(3)])
    torch.testing.assert_close(gaussian(t, 2.0), torch.stack([gaussian(one, 2.0) for one in t]))


def test_autocast_does_not_reach_it():
    t = samples(20, 50, dtype=torch.float32).requires_grad_()
    expected = gaussian(t, 5.0)
    (slope,) = torch.autograd.grad(expected.square().sum(), t)
    with torch.autocast("cpu", torch.bfloat16):
        found = gaussian(t, 5.0)
        (found_slope,) = torch.autograd.grad(found.square().sum(), t)
    assert found.equal(expected) and found_slope.equal(slope)
    assert gaussian(t.bfloat16(), 5.0).dtype == torch.float32


def test_means_of_rows_and_columns_are_taken_off_as_by_the_matrix_h():
    k = gaussian(samples(12, 3), 0.5)
    h = torch.eye(12, dtype=torch.float64) - 1 / 12
    torch.testing.assert_close(centred(k), h @ k @ h)
    torch.testing.assert_close(centred(k + 1), centred(k))
    assert centred(k).sum(0).abs().max() < 1e-14


def test_labels_agree_or_do_not():
    y = torch.tensor([0, 2, 0])
    assert same_label(y).tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    assert not centred(same_label(torch.full((5,), 3))).any()


def test_a_gaussian_kernel_of_one_hot_labels_is_the_linear_one_to_scale():
    y = torch.arange(14) % 4
    expected = gaussian(F.one_hot(y, 10).double(), 5.0)
    found = gaussian_label(y, 10)
    torch.testing.assert_close(found.double(), expected, rtol=1e-6, atol=0)
    scale = 1 - math.exp(-1 / 250)
    torch.testing.assert_close(centred(found), scale * centred(same_label(y)))


def test_with_the_median_distance_shifting_turning_and_scaling_change_nothing():
    t = samples(25, 6)
    turn, _ = torch.linalg.qr(samples(6, 6, seed=1))
    other = 30 * t @ turn + 4
    torch.testing.assert_close(gaussian(t, median_sigma(t)), gaussian(other, median_sigma(other)))
    assert (gaussian(t, 1.0) - gaussian(other, 1.0)).abs().max() > 0.1


def test_the_median_of_samples_that_coincide_is_no_division_by_zero():
    t = torch.zeros(5, 2)
    t[0] = 1
    assert median_sigma(t) == 1 and gaussian(t, median_sigma(t)).isfinite().all()
