"""Blurs, pixelation and elastic transforms, against the published code written out slowly."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from robustinfo.distortions import (
    defocus_blur,
    elastic_transform,
    gaussian_blur,
    glass_blur,
    motion_blur,
    pixelate,
    zoom_blur,
)

X = torch.rand(3, 3, 12, 15, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
BLURS = [
    (gaussian_blur, {"std": 1.2}),
    (defocus_blur, {"radius": 3, "edge_std": 0.5}),
    (defocus_blur, {"radius": 10, "edge_std": 0.5}),
    (glass_blur, {"std": 0.7, "reach": 2, "iterations": 2}),
    (motion_blur, {"radius": 15, "std": 8}),
    (zoom_blur, {"stop": 1.26, "step": 0.01}),
    (pixelate, {"scale": 0.4}),
    (elastic_transform, {"displacement": 20, "std": 2, "affine": 2}),
]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def distorted(method, x, **settings):
    return method.distort(x, config=method.Config(**settings), generator=seeded())


@pytest.mark.parametrize(("method", "settings"), BLURS)
def test_an_image_of_one_colour_stays_as_it_is(method, settings):
    plain = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(2, 3, 12, 15)
    torch.testing.assert_close(distorted(method, plain, **settings), plain)


@pytest.mark.parametrize(("method", "settings"), BLURS)
def test_a_channel_is_blurred_as_if_it_were_the_whole_image(method, settings):
    whole = distorted(method, X, **settings)
    for channel in range(3):
        alone = distorted(method, X[:, channel : channel + 1], **settings)
        torch.testing.assert_close(alone, whole[:, channel : channel + 1])


@pytest.mark.parametrize("radius, edge_std", [(0.3, 0.4), (1.5, 0.1), (8, 0.5), (10, 0.5)])
def test_a_disk_is_counted_pixel_by_pixel_and_its_edge_smoothed_by_scipy(radius, edge_std):
    reach, taps = 14, 1 if radius <= 8 else 2
    expected = np.zeros((2 * reach + 1, 2 * reach + 1))
    for row in range(-reach, reach + 1):
        for column in range(-reach, reach + 1):
            expected[row + reach, column + reach] = row**2 + column**2 <= radius**2
    expected = ndimage.gaussian_filter(
        expected / expected.sum(), edge_std, truncate=taps / edge_std, mode="constant"
    )
    kernel = defocus_blur.disk(radius, edge_std).numpy()
    assert kernel.sum() == pytest.approx(1)
    pad = reach - len(kernel) // 2
    np.testing.assert_allclose(np.pad(kernel, pad), expected, atol=1e-12)
    blurred = distorted(defocus_blur, X, radius=radius, edge_std=edge_std)
    theirs = ndimage.correlate(X[0, 0].numpy(), kernel, mode="mirror")
    np.testing.assert_allclose(blurred[0, 0], theirs, atol=1e-12)


@pytest.mark.parametrize("reach, iterations", [(1, 1), (1, 2), (2, 3), (4, 2)])
def test_glass_copies_pixel_after_pixel_from_the_last_to_the_first(reach, iterations):
    expected, draws = X.clone(), seeded()
    n, _, h, w = X.shape
    for _ in range(iterations):
        dy, dx = torch.randint(-reach, reach, (2, n, h, w), generator=draws)
        for image in range(n):
            for row in range(h - reach, reach, -1):
                for column in range(w - reach, reach, -1):
                    there = row + dy[image, row, column], column + dx[image, row, column]
                    expected[image, :, row, column] = expected[image, :, *there]
    settings = {"std": 0.0, "reach": reach, "iterations": iterations}
    found = distorted(glass_blur, X, **settings)
    assert found.equal(expected) and not found.equal(X)


def test_motion_is_one_sided_and_at_angles_within_45_degrees():
    dot = torch.zeros(500, 1, 41, 41)
    dot[:, :, 20, 20] = 1
    found = distorted(motion_blur, dot, radius=5, std=3)
    torch.testing.assert_close(found.sum((1, 2, 3)), torch.ones(500))
    _, _, rows, columns = found.nonzero(as_tuple=True)
    assert columns.max() == 20 and columns.min() == 10, "a pixel takes those to its right"
    assert ((rows - 20).abs() <= 20 - columns + 1).all()
    assert rows.min() <= 13 and rows.max() >= 27


def test_zoom_blur_is_the_mean_of_scipys_zooms_and_the_image():
    factors = [1.0, 1.05, 1.1]
    total = X.numpy().copy()
    for factor in factors:
        crops = []
        for size in X.shape[2:]:
            crop = int(np.ceil(size / factor))
            crops.append(slice((size - crop) // 2, (size - crop) // 2 + crop))
        large = ndimage.zoom(X.numpy()[:, :, *crops], (1, 1, factor, factor), order=1)
        trims = [
            slice((a - b) // 2, (a - b) // 2 + b)
            for a, b in zip(large.shape[2:], X.shape[2:], strict=True)
        ]
        total += large[:, :, *trims]
    found = distorted(zoom_blur, X, stop=1.14, step=0.05)
    np.testing.assert_allclose(found, total / (len(factors) + 1), atol=1e-12)


@pytest.mark.parametrize("scale", [0.95, 0.65, 0.5, 0.25, 0.01])
def test_pixelation_is_pillows_but_for_rounding_to_8_bits(scale):
    bytes_ = (X * 255).round()
    found = distorted(pixelate, bytes_ / 255, scale=scale) * 255
    for image, ours in zip(bytes_.byte(), found, strict=True):
        whole = Image.fromarray(image.permute(1, 2, 0).numpy())
        small = [max(1, int(size * scale)) for size in whole.size]
        theirs = whole.resize(small, Image.Resampling.BOX).resize(whole.size, Image.Resampling.BOX)
        assert np.abs(ours.permute(1, 2, 0).numpy() - np.asarray(theirs)).max() <= 1.01


@pytest.mark.parametrize("displacement, std, affine", [(0, 0, 3), (20, 2, 0), (9, 0.9, 2)])
def test_an_elastic_transform_is_that_of_numpy_and_scipy(displacement, std, affine):
    settings = {"displacement": displacement, "std": std, "affine": affine}
    found = distorted(elastic_transform, X, **settings)
    draws, (n, c, h, w) = seeded(), X.shape
    moved = 2 * torch.rand(n, 3, 2, generator=draws, dtype=torch.float64).numpy() - 1
    noise = 2 * torch.rand(n, 2, h, w, generator=draws, dtype=torch.float64).numpy() - 1
    middle, side = np.array([w // 2, h // 2]), min(h, w) // 3
    before = middle + side * np.array([[1, 1], [1, -1], [-1, -1]])
    rows, columns = np.mgrid[:h, :w]
    for image in range(n):
        after = before + affine * moved[image]
        matrix = np.linalg.solve(np.c_[after, np.ones(3)], before)
        from_x, from_y = np.einsum("hwk,kd->dhw", np.dstack([columns, rows, 1 + 0 * rows]), matrix)
        right, down = (
            displacement * ndimage.gaussian_filter(one, std, mode="reflect", truncate=3)
            for one in noise[image]
        )
        for channel in range(c):
            plane = ndimage.map_coordinates(
                X[image, channel].numpy(), [from_y, from_x], order=1, mode="mirror"
            )
            expected = ndimage.map_coordinates(
                plane, [rows + down, columns + right], order=1, mode="reflect"
            )
            np.testing.assert_allclose(found[image, channel], expected, atol=1e-9)
