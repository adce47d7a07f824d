from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from robustinfo.distortions import _pillow, eight_bit, jpeg

UNUSED = torch.Generator()


def images(channels, n=3):
    return torch.rand(n, channels, 28, 32, generator=torch.Generator().manual_seed(0))


def test_pillow_sees_rows_columns_and_colours_where_the_tensor_has_them():
    x = torch.zeros(1, 3, 2, 5, dtype=torch.uint8)
    x[0, 2, 1, 4] = 200
    (image,) = _pillow.to_pillow(x)
    assert image.size == (5, 2)
    assert image.getpixel((4, 1)) == (0, 0, 200)


def test_rounding_keeps_what_is_already_eight_bit():
    x = torch.arange(256, dtype=torch.float32).reshape(1, 1, 16, 16) / 255
    assert eight_bit.distort(x, config=eight_bit.Config(), generator=UNUSED).equal(x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rounding_moves_a_pixel_by_half_a_step_at_most(dtype):
    x = images(3).to(dtype)
    rounded = eight_bit.distort(x, config=eight_bit.Config(), generator=UNUSED)
    assert rounded.dtype == dtype
    assert (rounded - x).abs().max() <= 0.5 / 255 + 1e-6
    torch.testing.assert_close(rounded * 255, (rounded * 255).round())


@pytest.mark.parametrize("bad", [1.1, -0.1, float("nan")])
def test_rounding_refuses_pixels_outside_the_range(bad):
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        eight_bit.to_bytes(torch.tensor([[[[0.5, bad]]]]))


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB")])
@pytest.mark.parametrize("quality", [1, 20, 75, 100])
def test_jpeg_decodes_what_pillow_wrote(channels, mode, quality):
    x = images(channels)
    distorted = jpeg.distort(x, config=jpeg.Config(quality=quality), generator=UNUSED)
    assert distorted.shape == x.shape and distorted.dtype == x.dtype
    for before, after in zip(x, distorted, strict=True):
        array = (before * 255).round().byte().permute(1, 2, 0).numpy()
        file = BytesIO()
        Image.fromarray(array.squeeze()).save(file, format="JPEG", quality=quality)
        decoded = Image.open(file)
        assert decoded.mode == mode
        ours = (after * 255).round().byte().permute(1, 2, 0).numpy().squeeze()
        np.testing.assert_array_equal(ours, np.asarray(decoded))


def test_jpeg_keeps_a_mid_grey_image():
    grey = torch.full((1, 1, 16, 16), 128 / 255)
    assert jpeg.distort(grey, config=jpeg.Config(quality=50), generator=UNUSED).equal(grey)


def test_a_lower_quality_is_further_from_the_image():
    x = images(3)
    near, far = (
        (jpeg.distort(x, config=jpeg.Config(quality=quality), generator=UNUSED) - x).norm()
        for quality in (95, 10)
    )
    assert near < far


def test_jpeg_of_no_images_is_no_images():
    empty = torch.zeros(0, 3, 8, 8)
    assert (
        jpeg.distort(empty, config=jpeg.Config(quality=50), generator=UNUSED).shape == empty.shape
    )


@pytest.mark.parametrize("quality", [0, 101])
def test_a_quality_that_jpeg_does_not_have_is_an_error(quality):
    with pytest.raises(ValueError, match="quality"):
        jpeg.Config(quality=quality)
