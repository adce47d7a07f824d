import math

import numpy as np
import pytest
import scipy.fft
import torch

from robustinfo.maths import jpeg_dct


def fix(value):
    """libjpeg's constants of 13 bits."""
    return round(value * 8192)


def odd_part(a, b, c, d):
    """Four odd outputs of Loeffler, Ligtenberg and Moschytz: 9 products, 5 of them shared."""
    z5 = (a + b + c + d) * fix(1.175875602)
    z1, z2 = (a + d) * -fix(0.899976223), (b + c) * -fix(2.562915447)
    z3, z4 = (a + c) * -fix(1.961570560) + z5, (b + d) * -fix(0.390180644) + z5
    return (
        a * fix(0.298631336) + z1 + z3,
        b * fix(2.053119869) + z2 + z4,
        c * fix(3.072711026) + z2 + z3,
        d * fix(1.501321110) + z1 + z4,
    )


def forward_line(x):
    """One line of libjpeg's jfdctint.c before its shifts, x: 8 arrays of int64."""
    s, d = [x[k] + x[7 - k] for k in range(4)], [x[k] - x[7 - k] for k in range(4)]
    t10, t11, t12, t13 = s[0] + s[3], s[1] + s[2], s[1] - s[2], s[0] - s[3]
    z1 = (t12 + t13) * fix(0.541196100)
    y7, y5, y3, y1 = odd_part(d[3], d[2], d[1], d[0])
    y2, y6 = z1 + t13 * fix(0.765366865), z1 - t12 * fix(1.847759065)
    return [(t10 + t11) << 13, y1, y2, y3, (t10 - t11) << 13, y5, y6, y7]


def inverse_line(y):
    """One line of libjpeg's jidctint.c before its shifts."""
    z1 = (y[2] + y[6]) * fix(0.541196100)
    t2, t3 = z1 - y[6] * fix(1.847759065), z1 + y[2] * fix(0.765366865)
    t0, t1 = (y[0] + y[4]) << 13, (y[0] - y[4]) << 13
    even = [t0 + t3, t1 + t2, t1 - t2, t0 - t3]
    odd = odd_part(y[7], y[5], y[3], y[1])[::-1]
    left = [a + b for a, b in zip(even, odd, strict=True)]
    return left + [a - b for a, b in zip(even, odd, strict=True)][::-1]


def shifted(values, bits):
    return np.stack([(value + (1 << (bits - 1))) >> bits for value in values])


def slow_forward(samples):
    rows = shifted(forward_line(samples.swapaxes(0, 1) - 128), 11).swapaxes(0, 1)
    return shifted(forward_line(rows), 15)


def slow_inverse(coefficients):
    columns = shifted(inverse_line(coefficients), 11)
    return shifted(inverse_line(columns.swapaxes(0, 1)), 18).swapaxes(0, 1) + 128


def sample_blocks():
    """(8, 8, m): noise, blocks of 0 and 255, the signs of every frequency, and black."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (8, 8, 3000))
    extreme = rng.choice([0, 255], (8, 8, 3000))
    basis = 255 * (scipy.fft.idctn(np.eye(64).reshape(8, 8, 64), axes=(0, 1)) > 0)
    return np.concatenate([noise, extreme, basis, np.zeros((8, 8, 1), int)], axis=2)


def doubles(array):
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64))


def test_forward_is_the_butterflies_of_libjpeg():
    samples = sample_blocks()
    assert np.array_equal(jpeg_dct.forward(doubles(samples)), slow_forward(samples))


@pytest.mark.parametrize("step", [1, 7, 255])
def test_inverse_is_the_butterflies_of_libjpeg(step):
    coefficients = np.rint(slow_forward(sample_blocks()) / (8 * step)).astype(np.int64) * step
    assert np.array_equal(jpeg_dct.inverse(doubles(coefficients)), slow_inverse(coefficients))


def test_the_matrix_is_the_cosine_transform_but_for_rounding():
    exact = math.sqrt(8) * scipy.fft.dct(np.eye(8), axis=0, norm="ortho")
    np.testing.assert_allclose(jpeg_dct.TRANSFORM / 2**13, exact, rtol=0, atol=2**-12)


def test_coefficients_are_8_times_the_orthonormal_ones_about_mid_grey():
    samples = sample_blocks()
    exact = 8 * scipy.fft.dctn(samples - 128, axes=(0, 1), norm="ortho")
    np.testing.assert_allclose(jpeg_dct.forward(doubles(samples)), exact, rtol=0, atol=2)


def test_back_from_rounded_coefficients_a_sample_is_off_by_2_at_most():
    samples = sample_blocks()[:, :, :3000]
    coefficients = (jpeg_dct.forward(doubles(samples)) / 8).round()
    assert np.abs(jpeg_dct.inverse(coefficients).numpy() - samples).max() <= 2
