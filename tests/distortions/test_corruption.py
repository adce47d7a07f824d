"""Common corruptions at their published severities: of every one, on images of every size."""

from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from robustinfo.core import registry
from robustinfo.distortions import corruption, gaussian_noise
from robustinfo.distortions._severities import ADDITIONAL, ALL, COMMON, SETS, entry, nearest_set

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 50, 64), (3, 64, 64)]
# What every severity changes more than the one before, by the mean l2 distance, in every set. The
# others trade one number against another: the elastic transform moves pixels more, and the image
# less; a glass blurs less and shuffles twice; a flake is larger, or there are more.
GROWING = {*ALL} - {"elastic_transform", "glass_blur", "snow", "fog", "motion_blur", "pixelate"}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def smooth(n, c, h, w):
    """Images from 0.1 to 0.9 without edges."""
    small = torch.rand(n, c, 4, 4, generator=seeded())
    return 0.1 + 0.8 * F.interpolate(small, size=(h, w), mode="bilinear")


def corrupted(x, name, severity, seed=0):
    config = corruption.Config(name=name, severity=severity)
    return corruption.distort(x, config=config, generator=seeded(seed))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_corrupted_images_are_images_like_those_given(name, shape):
    for x in (smooth(2, *shape), torch.zeros(1, *shape), torch.ones(1, *shape)):
        before = x.clone()
        for severity in (1, 5):
            found = corrupted(x, name, severity)
            assert found.shape == x.shape and found.dtype == x.dtype
            assert found.min() >= 0 and found.max() <= 1 and found.isfinite().all()
        assert x.equal(before)


@pytest.mark.parametrize("name", ALL)
def test_the_generator_alone_decides_and_every_image_has_its_own_numbers(name):
    x = smooth(1, 3, 32, 32).expand(2, -1, -1, -1)
    torch.manual_seed(1)
    first = corrupted(x, name, 3)
    torch.manual_seed(2)
    assert corrupted(x, name, 3).equal(first)
    if not corrupted(x, name, 3, seed=1).equal(first):  # it draws
        assert not first[0].equal(first[1])


@pytest.mark.parametrize("name", sorted(GROWING))
@pytest.mark.parametrize("side", SETS.values())
def test_a_higher_severity_is_further_from_the_image(name, side):
    x = smooth(32 if side < 100 else 2, 3, side, side)
    apart = [(corrupted(x, name, severity) - x).square().sum() for severity in range(1, 6)]
    assert all(a < b for a, b in pairwise(apart))


@pytest.mark.parametrize("name", ["snow", "fog", "motion_blur", "elastic_transform", "glass_blur"])
def test_images_of_imagenets_size_are_corrupted_too(name):
    found = corrupted(smooth(1, 3, 224, 224), name, 5)
    assert found.min() >= 0 and found.max() <= 1


def test_there_are_all_but_frost_of_the_paper_and_two_more():
    assert len(COMMON) == 14 and len(ADDITIONAL) == 2
    for name, one in ALL.items():
        for side in SETS.values():
            entries = [entry(name, severity, side) for severity in range(1, 6)]
            for params in entries:
                registry.config("distortions", params)
                assert {*params} == {"method", *one.settings}
            assert len({str(params) for params in entries}) == 5


@pytest.mark.parametrize(
    ("side", "of"),
    [(8, 32), (28, 32), (45, 32), (46, 64), (96, 64), (119, 64), (120, 224), (299, 224)],
)
def test_the_numbers_are_of_the_set_whose_size_is_nearest_by_ratio(side, of):
    assert SETS[nearest_set(side)] == of


def test_a_severity_is_the_distortion_with_its_published_numbers():
    x = smooth(2, 3, 32, 40)
    assert entry("jpeg_compression", 5, 32) == {"method": "jpeg", "quality": 40}
    config = gaussian_noise.Config(std=0.08)
    expected = gaussian_noise.distort(x, config=config, generator=seeded())
    assert corrupted(x, "gaussian_noise", 3).equal(expected)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"name": "frost", "severity": 1}, "no corruption 'frost'; choose from gaussian_noise"),
        ({"name": "fog", "severity": 0}, "severity"),
        ({"name": "fog", "severity": 6}, "severity"),
    ],
)
def test_what_is_no_corruption_is_an_error_that_says_so(settings, said):
    with pytest.raises(ValueError, match=said):
        corruption.Config(**settings)
