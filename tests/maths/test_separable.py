import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from robustinfo.maths.separable import boxes, filtered, gaussian, magnified

SIZES = [(8, 8), (13, 30), (32, 32)]
BY_SCIPY = {"edge": "nearest", "mirror": "mirror", "symmetric": "reflect"}


def images(h, w):
    return torch.rand(2, 3, h, w, generator=torch.Generator().manual_seed(h), dtype=torch.float64)


@pytest.mark.parametrize("size", [1, 2, 7, 32])
def test_every_result_is_a_mean_of_pixels(size):
    filters = [
        gaussian(size, 2.0, truncate=3, border="mirror"),
        gaussian(size, 0, truncate=3, border="edge"),
        magnified(size, 1.13),
        boxes(size, 5),
    ]
    for one in filters:
        assert (one >= 0).all()
        torch.testing.assert_close(one.sum(1), torch.ones(len(one), dtype=torch.float64))


@pytest.mark.parametrize("border", BY_SCIPY)
@pytest.mark.parametrize("std", [0.4, 1, 6.5])
@pytest.mark.parametrize("h, w", SIZES)
def test_smoothing_is_scipys_gaussian_filter(h, w, std, border):
    x = images(h, w)
    ours = filtered(x, *(gaussian(size, std, truncate=4, border=border) for size in (h, w)))
    theirs = ndimage.gaussian_filter(x.numpy(), (0, 0, std, std), mode=BY_SCIPY[border], truncate=4)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize("factor", [1.0, 1.01, 1.25, 2.25, 4.5])
@pytest.mark.parametrize("size", [8, 30, 32])
def test_the_magnified_middle_is_scipys_zoom_of_it(size, factor):
    (x,) = images(size, size)[:1, 0]
    ours = filtered(x[None, None], *2 * [magnified(size, factor)])[0, 0]
    crop = int(np.ceil(size / factor))
    first = (size - crop) // 2
    middle = x.numpy()[first : first + crop, first : first + crop]
    large = ndimage.zoom(middle, factor, order=1)
    trim = (len(large) - size) // 2
    np.testing.assert_allclose(ours, large[trim : trim + size, trim : trim + size], atol=1e-12)


@pytest.mark.parametrize("count", [1, 3, 7, 20, 31, 32, 50, 64])
@pytest.mark.parametrize("h, w", SIZES)
def test_boxes_are_pillows_to_half_a_step_of_each_pass(h, w, count):
    """Pillow rounds to 8 bits after the columns, and after the rows."""
    bytes_ = (images(h, w)[0, 0] * 255).round()
    resized = Image.fromarray(bytes_.byte().numpy()).resize((count, count), Image.Resampling.BOX)
    ours = filtered(bytes_[None, None], boxes(h, count), boxes(w, count))[0, 0]
    assert np.abs(ours.numpy() - np.asarray(resized)).max() <= 1.01
