import zlib
from io import BytesIO

import pytest
import torch
from PIL import Image

from robustinfo.complexities import deflate_size, jpeg_size, png_size

SIZES = [(jpeg_size, {"quality": 20}), (png_size, {}), (deflate_size, {})]


def images(channels, n=3):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (n, channels, 28, 32), generator=generator, dtype=torch.uint8)


def pillow_image(image):
    array = image.permute(1, 2, 0).numpy()
    return Image.fromarray(array.squeeze())


def file_size(image, file_format, **options):
    file = BytesIO()
    pillow_image(image).save(file, format=file_format, **options)
    return file.tell()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quality", [1, 20, 75, 100])
def test_the_jpeg_size_is_that_of_the_file_pillow_writes(channels, quality):
    x = images(channels)
    sizes = jpeg_size.measure(x, config=jpeg_size.Config(quality=quality))
    assert sizes.tolist() == [file_size(image, "JPEG", quality=quality) for image in x]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_png_size_is_that_of_the_file_pillow_writes(channels):
    sizes = png_size.measure(images(channels), config=png_size.Config())
    assert sizes.tolist() == [file_size(image, "PNG") for image in images(channels)]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_deflate_size_is_that_of_the_pixels_in_row_order(channels):
    sizes = deflate_size.measure(images(channels), config=deflate_size.Config())
    expected = [len(zlib.compress(pillow_image(image).tobytes(), 9)) for image in images(channels)]
    assert sizes.tolist() == expected


def test_a_lower_quality_makes_a_smaller_jpeg():
    x = images(3)
    small, large = (
        jpeg_size.measure(x, config=jpeg_size.Config(quality=quality)) for quality in (20, 90)
    )
    assert (small < large).all()


@pytest.mark.parametrize("size, settings", SIZES)
def test_a_constant_image_is_smaller_than_noise(size, settings):
    config = size.Config(**settings)
    constant = size.measure(torch.full((3, 3, 28, 32), 9, dtype=torch.uint8), config=config)
    assert (constant < size.measure(images(3), config=config)).all()


@pytest.mark.parametrize("size, settings", SIZES)
def test_a_size_is_a_float64_per_image_and_none_for_no_images(size, settings):
    for n in (0, 3):
        sizes = size.measure(images(3, n=n), config=size.Config(**settings))
        assert sizes.shape == (n,) and sizes.dtype == torch.float64


@pytest.mark.parametrize("size, settings", SIZES)
def test_images_that_are_not_bytes_are_an_error(size, settings):
    with pytest.raises(ValueError, match="float32"):
        size.measure(torch.rand(1, 3, 4, 4), config=size.Config(**settings))


@pytest.mark.parametrize("size, settings", SIZES[:2])
def test_an_image_format_refuses_two_channels(size, settings):
    with pytest.raises(ValueError, match="not 2"):
        size.measure(images(2), config=size.Config(**settings))


@pytest.mark.parametrize("quality", [0, 101, 20.0])
def test_a_quality_that_jpeg_does_not_have_is_an_error(quality):
    with pytest.raises(ValueError, match="quality"):
        jpeg_size.Config(quality=quality)
