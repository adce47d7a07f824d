"""Brightness, contrast, fog and snow: closed forms, and the published code written out slowly."""

import colorsys

import numpy as np
import pytest
import torch
from scipy import ndimage

from robustinfo.distortions import brightness, contrast, fog, snow
from robustinfo.maths.plasma import plasma

X = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def distorted(method, x, **settings):
    return method.distort(x, config=method.Config(**settings), generator=seeded())


def test_brightness_raises_the_value_of_a_colour_in_hsv():
    found = distorted(brightness, X, amount=0.3)
    for before, after in zip(X[0].flatten(1).T, found[0].flatten(1).T, strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*before.tolist())
        expected = colorsys.hsv_to_rgb(hue, saturation, min(1.0, value + 0.3))
        assert after.tolist() == pytest.approx(expected)


def test_brightness_of_grey_is_a_sum_and_of_black_the_amount():
    grey = X[:, :1]
    found = distorted(brightness, grey, amount=0.2)
    torch.testing.assert_close(found, (grey + 0.2).clamp(max=1))
    assert distorted(brightness, torch.zeros(1, 3, 4, 4), amount=0.5).eq(0.5).all()


def test_contrast_shrinks_every_channel_towards_its_own_mean():
    found = distorted(contrast, X, factor=0.3)
    torch.testing.assert_close(found.mean((2, 3)), X.mean((2, 3)))
    torch.testing.assert_close(found.std((2, 3)), 0.3 * X.std((2, 3)))
    torch.testing.assert_close(distorted(contrast, X, factor=1.0), X)


@pytest.mark.parametrize("h, w", [(16, 16), (9, 20)])
def test_fog_is_a_cloud_under_which_the_brightest_value_stays(h, w):
    x = X[:, :, :h].repeat(1, 1, 1, 2)[..., :w]
    found = distorted(fog, x, thickness=1.5, decay=2.0)
    clouds = plasma(4, 16 if w == 16 else 32, 2.0, seeded())[:, None, :h, :w]
    brightest = x.amax((1, 2, 3), keepdim=True)
    torch.testing.assert_close(found, (x + 1.5 * clouds) * brightest / (brightest + 1.5))
    assert distorted(fog, torch.zeros(1, 1, 8, 8), thickness=1.0, decay=2.0).eq(0).all()
    torch.testing.assert_close(distorted(fog, x, thickness=0.0, decay=2.0), x)


def test_snow_is_flakes_twice_over_a_paler_image():
    """Of the published code all but the smear, which here is of one pixel."""
    settings = {"mean": 0.3, "std": 0.3, "zoom": 1.25, "threshold": 0.5, "kept": 0.8}
    found = distorted(snow, X, **settings, radius=1, smear_std=0.01)
    noise = 0.3 + 0.3 * torch.randn(4, 1, 16, 16, generator=seeded(), dtype=torch.float64)
    for image, layer, ours in zip(X.numpy(), noise[:, 0].numpy(), found.numpy(), strict=True):
        crop = int(np.ceil(16 / 1.25))
        first = (16 - crop) // 2
        flakes = ndimage.zoom(layer[first : first + crop, first : first + crop], 1.25, order=1)
        trim = (len(flakes) - 16) // 2
        flakes = flakes[trim : trim + 16, trim : trim + 16]
        flakes = np.clip(np.where(flakes < 0.5, 0, flakes), 0, 1)
        grey = 0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]
        paler = 0.8 * image + 0.2 * np.maximum(image, 1.5 * grey + 0.5)
        expected = np.clip(paler + flakes + np.rot90(flakes, k=2), 0, 1)
        np.testing.assert_allclose(ours, expected, atol=1e-12)


def test_snow_on_a_grey_image_is_that_on_the_same_image_in_colours():
    settings = {"mean": 0.3, "std": 0.3, "zoom": 2.0, "threshold": 0.5, "kept": 0.8}
    settings |= {"radius": 8, "smear_std": 3.0}
    grey = X[:, :1]
    found = distorted(snow, grey, **settings)
    torch.testing.assert_close(
        distorted(snow, grey.expand(-1, 3, -1, -1), **settings), found.expand(-1, 3, -1, -1)
    )
