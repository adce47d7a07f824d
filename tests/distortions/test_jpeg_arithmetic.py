from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images

from robustinfo.distortions import _pillow, jpeg

SIZES = [(1, 1), (1, 20), (2, 9), (4, 4), (5, 6), (8, 8), (17, 3), (24, 40), (29, 37), (33, 16)]


def by_pillow(images, quality):
    """Every image encoded to a file in memory and decoded from it."""
    files = [_pillow.encode(i, "JPEG", quality=quality) for i in _pillow.to_pillow(images)]
    decoded = np.stack([np.asarray(Image.open(BytesIO(file))) for file in files])
    return torch.from_numpy(decoded).view(len(images), *images.shape[2:], -1).permute(0, 3, 1, 2)


def synthetic(channels, h, w):
    """Noise, noise of 0 and 255, slopes, one colour, black and white: (10, channels, h, w)."""
    draw = torch.Generator().manual_seed(100 * h + w)
    noise = torch.randint(256, (3, channels, h, w), generator=draw)
    extreme = 255 * torch.randint(2, (2, channels, h, w), generator=draw)
    down, right = torch.linspace(0, 127, h)[:, None], torch.linspace(0, 127, w)
    slopes = (down + right) * torch.rand(2, channels, 1, 1, generator=draw)
    plain = torch.randint(256, (1, channels, 1, 1), generator=draw).expand(-1, -1, h, w)
    ends = torch.tensor([0, 255])[:, None, None, None].expand(-1, channels, h, w)
    return torch.cat([noise, extreme, slopes.long(), plain, ends]).byte()


def photographs(h, w):
    """Crops of scikit-learn's two photographs: (8, 3, h, w)."""
    crops = [
        photo[y : y + h, x : x + w]
        for photo in load_sample_images().images
        for y, x in ((0, 0), (101, 203), (200, 400), (300, 55))
    ]
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quality", range(1, 101))
def test_every_quality_gives_pillows_bytes(channels, quality):
    images = synthetic(channels, 19, 35)
    assert jpeg.round_trip(images, quality).equal(by_pillow(images, quality))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("h, w", SIZES)
def test_every_size_gives_pillows_bytes(channels, h, w):
    images = synthetic(channels, h, w)
    for quality in (1, 10, 49, 50, 75, 95, 100):
        assert jpeg.round_trip(images, quality).equal(by_pillow(images, quality))
        assert jpeg.round_trip(images[:1], quality).equal(by_pillow(images[:1], quality))


@pytest.mark.parametrize("h, w", [(32, 32), (96, 96), (61, 83)])
def test_photographs_give_pillows_bytes(h, w):
    colour = photographs(h, w)
    for images in (colour, colour[:, 1:2]):
        for quality in (1, 5, 20, 50, 75, 90, 100):
            assert jpeg.round_trip(images, quality).equal(by_pillow(images, quality))


def test_digits_give_pillows_bytes():
    images = torch.from_numpy(load_digits().images * 255 / 16).byte()[:200, None]
    assert jpeg.round_trip(images, 20).equal(by_pillow(images, 20))


@pytest.mark.parametrize("channels", [1, 3])
def test_how_many_images_are_coded_at_once_changes_nothing(channels, monkeypatch):
    images = synthetic(channels, 12, 20)
    whole = jpeg.round_trip(images, 30)
    monkeypatch.setattr(jpeg, "PIXELS_CACHE_BATCH", 3 * 12 * 20)  # three times three images and one
    assert jpeg.round_trip(images, 30).equal(whole)
    monkeypatch.setattr(jpeg, "PIXELS_CACHE_BATCH", 1)
    assert jpeg.round_trip(images, 30).equal(whole)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_images_given_stay_as_they_were(channels):
    images = synthetic(channels, 16, 16)
    before = images.clone()
    jpeg.round_trip(images, 10)
    assert images.equal(before)


def test_any_memory_layout_will_do():
    images = photographs(24, 24)  # colours last in memory
    assert not images.is_contiguous()
    assert jpeg.round_trip(images, 40).equal(jpeg.round_trip(images.contiguous(), 40))
    crop = images[::2, :, 3:20, 5:15]
    assert jpeg.round_trip(crop, 40).equal(jpeg.round_trip(crop.contiguous(), 40))


def test_two_channels_are_an_error():
    with pytest.raises(ValueError, match="1 or 3 channels here, not 2"):
        jpeg.round_trip(torch.zeros(1, 2, 8, 8, dtype=torch.uint8), 50)


def test_images_that_are_not_8_bit_are_an_error():
    with pytest.raises(ValueError, match=r"torch\.uint8.*not torch\.float32"):
        jpeg.round_trip(torch.zeros(1, 1, 8, 8), 50)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("channels", [1, 3])
def test_a_gpu_gives_the_same_bytes(channels):
    images = synthetic(channels, 29, 37)
    for quality in (1, 20, 75, 100):
        found = jpeg.round_trip(images.cuda(), quality)
        assert found.is_cuda
        assert found.cpu().equal(by_pillow(images, quality))
