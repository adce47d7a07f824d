import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from robustinfo.maths.sampling import between_pixels, pixels_at, smeared

BY_SCIPY = {"edge": "nearest", "mirror": "mirror", "symmetric": "reflect"}
SEEDED = torch.Generator().manual_seed(0)
X = torch.rand(3, 2, 9, 12, generator=SEEDED, dtype=torch.float64)


@pytest.mark.parametrize("border", BY_SCIPY)
def test_between_pixels_is_scipys_linear_interpolation(border):
    rows = 30 * torch.rand(3, 5, 6, generator=SEEDED, dtype=torch.float64) - 10
    columns = 30 * torch.rand(3, 5, 6, generator=SEEDED, dtype=torch.float64) - 10
    ours = between_pixels(X, rows, columns, border)
    for image, at, found in zip(X, torch.stack([rows, columns], 1), ours, strict=True):
        for plane, result in zip(image, found, strict=True):
            theirs = ndimage.map_coordinates(
                plane.numpy(), at.numpy(), order=1, mode=BY_SCIPY[border]
            )
            np.testing.assert_allclose(result, theirs, atol=1e-12)


def test_at_its_own_places_an_image_is_itself():
    rows, columns = (one.expand(3, -1, -1) for one in torch.meshgrid(
        torch.arange(9), torch.arange(12), indexing="ij"))  # fmt: skip
    assert pixels_at(X, rows, columns, "edge").equal(X)
    assert between_pixels(X, rows.double(), columns.double(), "edge").equal(X)


@pytest.mark.parametrize("radius, std", [(1, 1.0), (6, 1.5), (20, 15.0)])
def test_a_smear_is_the_weighted_sum_along_the_line_pixel_by_pixel(radius, std):
    angles = torch.tensor([-45.0, 0.0, 31.7])
    ours = smeared(X, angles, radius=radius, std=std)
    weights = [math.exp(-(tap**2) / (2 * std**2)) for tap in range(2 * radius + 1)]
    for image, angle, found in zip(X, angles.tolist(), ours, strict=True):
        expected = torch.zeros_like(image)
        for row in range(9):
            for column in range(12):
                for tap, weight in enumerate(weights):
                    down = math.ceil(tap * math.sin(math.radians(angle)) - 0.5)
                    right = math.ceil(tap * math.cos(math.radians(angle)) - 0.5)
                    r, c = min(max(row + down, 0), 8), min(max(column + right, 0), 11)
                    expected[:, row, column] += weight / sum(weights) * image[:, r, c]
        torch.testing.assert_close(found, expected)
