from itertools import permutations

import pytest
import torch
from torch.nn import functional as F

from robustinfo.maths.hsic import RIDGE, biased, chance, nhsic, permuted, projection, unbiased
from robustinfo.maths.kernels import centred, gaussian, same_label


def samples(m, d, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(m, d, generator=generator, dtype=torch.float64)


def dependent(m, seed=0):
    """Kernels of t and of something that t is half of."""
    t, noise = samples(m, 3, seed), samples(m, 3, seed + 1000)
    return gaussian(t, 0.8), gaussian(t + noise, 0.8)


def reordered(k, order):
    return k[order][:, order]


def test_biased_is_the_trace_with_centring_matrices():
    k, other = dependent(10)
    h = torch.eye(10, dtype=torch.float64) - 1 / 10
    expected = torch.trace(k @ h @ other @ h) / 81
    torch.testing.assert_close(biased(centred(k), centred(other)), expected)


def test_biased_with_linear_kernels_is_the_squared_norm_of_the_covariance():
    x, t = samples(30, 4), samples(30, 5, seed=1)
    x, t = x - x.mean(0), t - t.mean(0)
    expected = (x.T @ t / 29).square().sum()
    torch.testing.assert_close(biased(centred(x @ x.T), centred(t @ t.T)), expected)


def test_unbiased_is_the_mean_over_all_ordered_quadruples_of_samples():
    """The U-statistic of E[k l] + E[k] E[l] - 2 E[E[k] E[l]], one quadruple at a time."""
    k, other = dependent(6)
    found = [
        k[i, j] * other[i, j] + k[i, j] * other[q, r] - 2 * k[i, j] * other[i, q]
        for i, j, q, r in permutations(range(6), 4)
    ]
    torch.testing.assert_close(unbiased(k, other), torch.stack(found).mean())


def test_unbiased_does_not_see_constants_diagonals_or_centring():
    k, other = dependent(9)
    expected = unbiased(k, other)
    torch.testing.assert_close(unbiased(k + 1, other - 7), expected)
    torch.testing.assert_close(unbiased(k + torch.eye(9), other), expected)


def test_over_all_permutations_unbiased_is_zero_in_the_mean_and_biased_is_not():
    k, other = dependent(5)
    orders = list(permutations(range(5)))
    mean = torch.stack([unbiased(k, reordered(other, list(order))) for order in orders]).mean()
    assert abs(mean) < 1e-15 < abs(unbiased(k, other))
    k, other = centred(k), centred(other)
    values = torch.stack([biased(k, reordered(other, list(order))) for order in orders])
    torch.testing.assert_close(values.mean(), chance(k, other) / 16)
    assert values.min() > 0


def test_unbiased_of_independent_samples_is_zero_in_the_mean_over_draws():
    values = [
        unbiased(gaussian(samples(12, 2, seed), 1.0), gaussian(samples(12, 2, seed + 5000), 1.0))
        for seed in range(400)
    ]
    values = torch.stack(values)
    error = values.std() / 20
    assert abs(values.mean()) < 3 * error and unbiased(*dependent(12)) > 10 * error


@pytest.mark.parametrize("form", ["biased", "unbiased", "nhsic"])
def test_a_common_order_of_the_samples_and_which_side_is_which_do_not_matter(form):
    k, other = dependent(11)
    order = torch.randperm(11, generator=torch.Generator().manual_seed(0))

    def value(k, other):
        if form == "nhsic":
            return nhsic(projection(k), projection(other))
        return biased(centred(k), centred(other)) if form == "biased" else unbiased(k, other)

    torch.testing.assert_close(value(reordered(k, order), reordered(other, order)), value(k, other))
    torch.testing.assert_close(value(other, k), value(k, other))
    assert value(reordered(k, order), other) < value(k, other)


def test_plain_forms_scale_with_the_kernels_and_nhsic_hardly_does():
    k, other = dependent(10)
    for form in (biased, unbiased):
        torch.testing.assert_close(
            form(centred(3 * k), centred(other)), 3 * form(centred(k), centred(other))
        )
    r, s, tripled = projection(k), projection(other), projection(3 * k)
    assert 1e-6 < (nhsic(tripled, s) - nhsic(r, s)).abs() < 1e-2


def printed(k, other):
    """nHSIC as its formula reads, with an inverse."""
    m = len(k)
    h, eye = torch.eye(m, dtype=k.dtype) - 1 / m, torch.eye(m, dtype=k.dtype)
    k, other = h @ k @ h, h @ other @ h
    r, s = (one @ torch.inverse(one + 1e-5 * m * eye) for one in (k, other))
    return torch.trace(r @ s)


def test_nhsic_is_its_printed_formula():
    k, other = dependent(15)
    torch.testing.assert_close(nhsic(projection(k), projection(other)), printed(k, other))


def test_centring_one_side_of_each_kernel_as_in_published_code_gives_the_same():
    k, other = dependent(15)
    h, eye = torch.eye(15, dtype=k.dtype) - 1 / 15, torch.eye(15, dtype=k.dtype)
    r, s = ((one + 1) @ h @ torch.inverse((one + 1) @ h + 15e-5 * eye) for one in (k, other))
    torch.testing.assert_close((r * s.T).sum(), nhsic(projection(k), projection(other)))


def test_of_a_kernel_and_itself_it_is_a_sum_over_its_eigenvalues():
    k, _ = dependent(20)
    values = torch.linalg.eigvalsh(centred(k)).clamp(min=0)
    expected = (values / (values + RIDGE * 20)).square().sum()
    torch.testing.assert_close(nhsic(projection(k), projection(k)), expected)


def test_of_balanced_labels_and_themselves_it_is_the_number_of_classes_less_one_to_scale():
    r = projection(same_label(torch.arange(40) % 4).double())
    shrunk = 10 / (10 + RIDGE * 40)  # the centred kernel is 10 times a projection of rank 3
    assert nhsic(r, r).item() == pytest.approx(3 * shrunk**2, rel=1e-12)


def test_a_single_class_or_a_constant_has_nothing_in_common_with_anything():
    s = projection(dependent(8)[0])
    for kernel in (same_label(torch.full((8,), 2)), gaussian(torch.full((8, 3), 4.0), 5.0)):
        assert projection(kernel).abs().max() < 1e-15
        assert abs(nhsic(projection(kernel).double(), s)) < 1e-14
        assert not unbiased(kernel.double(), dependent(8)[0])


def test_noise_scores_as_high_as_the_labels_themselves_and_chance_says_so():
    y = torch.arange(50) % 5
    s = projection(same_label(y).double())
    noise = projection(gaussian(samples(50, 2000), 5.0))
    value = nhsic(noise, s)
    assert value > 0.9 * nhsic(s, s) and abs(value / chance(noise, s) - 1) < 0.01


def test_chance_is_the_mean_over_all_permutations():
    k, other = dependent(5)
    r, s = projection(k), projection(other)
    values = [nhsic(r, reordered(s, list(order))) for order in permutations(range(5))]
    torch.testing.assert_close(chance(r, s), torch.stack(values).mean())


def test_permuted_kernels_are_those_of_permuted_samples_and_scatter_around_chance(generator):
    t, other = samples(15, 3), samples(15, 3, seed=1)
    r, s = projection(gaussian(t, 5.0)), projection(gaussian(other, 5.0))
    again = generator.clone_state()
    found = permuted(r, s, permutations=2000, generator=generator)
    order = torch.randperm(15, generator=again)
    torch.testing.assert_close(found[0], nhsic(r, projection(gaussian(other[order], 5.0))))
    assert abs(found.mean() - chance(r, s)) < 3 * found.std() / 2000**0.5
    assert (found >= nhsic(r, r)).sum() == 0  # of dependent samples, none does


def test_many_matrices_at_once_are_those_one_by_one():
    k = torch.stack([dependent(9, seed)[0] for seed in range(4)])
    r = projection(k)
    torch.testing.assert_close(r, torch.stack([projection(one) for one in k]))
    torch.testing.assert_close(nhsic(r, r[0]), torch.stack([nhsic(one, r[0]) for one in r]))
    torch.testing.assert_close(chance(r, r[0]), torch.stack([chance(one, r[0]) for one in r]))


def test_the_gradient_is_that_of_finite_differences():
    t = samples(7, 3).requires_grad_()
    s = projection(dependent(7)[1])
    assert torch.autograd.gradcheck(lambda t: nhsic(projection(gaussian(t, 0.9)), s), t)


def test_what_is_not_positive_definite_or_not_finite_is_nan_not_a_number_that_looks_right():
    k, _ = dependent(6)
    bad = torch.stack([k, -100 * torch.eye(6, dtype=k.dtype), k * torch.nan])
    assert projection(bad).isnan().flatten(1).all(1).tolist() == [False, True, True]


@pytest.mark.parametrize(("width", "offset"), [(64, 0.0), (4096, 0.0), (4096, 30.0)])
def test_float32_is_within_1e_5_of_float64_in_value_and_1e_4_in_gradient(width, offset):
    """A hundred images and a layer that knows a little of the label; relative errors."""
    y = torch.arange(100) % 10
    x, t = samples(100, 3072) / 4, (samples(100, width, seed=1) + offset).float().double()
    t[:, :10] += F.one_hot(y)
    found = []
    for dtype in (torch.float64, torch.float32):
        h = t.to(dtype).requires_grad_()
        r = projection(gaussian(h, 5.0))
        of_input = nhsic(r, projection(gaussian(x.to(dtype), 5.0)))
        of_label = nhsic(r, projection(same_label(y).to(dtype)))
        value = 0.008 * of_input - 0.08 * of_label
        (slope,) = torch.autograd.grad(value, h)
        found.append([of_input.detach(), of_label.detach(), slope.double()])
    (a, b, slope), (a32, b32, slope32) = found
    assert abs(a32 - a) < 1e-5 * a and abs(b32 - b) < 1e-5 * b
    assert (slope32 - slope).norm() < 1e-4 * slope.norm()
