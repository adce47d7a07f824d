import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from robustinfo.distortions import patch_shuffle, saturation


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def images(n=3, channels=3):
    return torch.rand(n, channels, 24, 16, generator=seeded(), dtype=torch.float64)


def saturate(x, power):
    return saturation.distort(x, config=saturation.Config(power=power), generator=seeded())


def shuffle(x, patches, seed=0):
    config = patch_shuffle.Config(patches=patches)
    return patch_shuffle.distort(x, config=config, generator=seeded(seed))


def test_saturation_with_power_two_changes_nothing():
    torch.testing.assert_close(saturate(images(), 2), images())


def test_saturation_with_a_large_power_leaves_black_and_white():
    torch.testing.assert_close(saturate(images(), 1e9), images().round(), atol=1e-6, rtol=0)


@given(st.floats(0, 1), st.floats(2, 1024))
def test_saturation_moves_no_pixel_across_the_middle_or_towards_it(value, power):
    (saturated,) = saturate(torch.tensor([value], dtype=torch.float64), power).tolist()
    assert 0 <= saturated <= 1
    assert (saturated - 0.5) * (value - 0.5) >= 0
    assert abs(saturated - 0.5) >= abs(value - 0.5) - 1e-12


def test_saturation_with_power_four_takes_the_square_root_of_the_contrast():
    x = torch.tensor([0.5 - 0.125, 0.5, 0.5 + 0.125])  # contrast 1/4, its root 1/2
    torch.testing.assert_close(saturate(x, 4), torch.tensor([0.25, 0.5, 0.75]))


def test_a_power_below_two_is_an_error():
    with pytest.raises(ValueError, match="power"):
        saturation.Config(power=1.5)


def test_a_single_patch_stays_where_it_is():
    assert shuffle(images(), 1).equal(images())


@pytest.mark.parametrize("patches", [2, 4, 8])
def test_shuffling_keeps_every_pixel_whole_and_puts_it_elsewhere(patches):
    x = images()
    shuffled = shuffle(x, patches)
    assert not shuffled.equal(x)
    for before, after in zip(x, shuffled, strict=True):
        colours = [
            image.flatten(1).T.unique(dim=0) for image in (before, after)
        ]  # (h w, c), sorted
        assert colours[0].equal(colours[1])


@pytest.mark.parametrize("patches", [2, 4])
def test_every_patch_is_found_unchanged_at_one_place_of_the_grid(patches):
    def pieces(image):
        rows = image.chunk(patches, dim=1)
        return [piece for row in rows for piece in row.chunk(patches, dim=2)]

    x = images()
    for before, after in zip(x, shuffle(x, patches), strict=True):
        places = [
            [place for place, piece in enumerate(pieces(after)) if piece.equal(patch)]
            for patch in pieces(before)
        ]
        assert sorted(places) == [[place] for place in range(patches**2)]


def test_every_image_is_shuffled_in_an_order_of_its_own():
    same = images(n=1).expand(8, -1, -1, -1)
    assert len(shuffle(same, 4).flatten(1).unique(dim=0)) == 8


def test_every_order_of_four_patches_is_about_equally_likely():
    corners = torch.arange(4.0).reshape(1, 1, 2, 2).expand(24_000, -1, -1, -1)
    _, counts = shuffle(corners, 2).flatten(1).unique(dim=0, return_counts=True)
    assert len(counts) == 24
    assert counts.min() > 850 and counts.max() < 1150  # 1000 expected, standard deviation 31


def test_the_seed_alone_decides_the_order():
    assert shuffle(images(), 4, seed=1).equal(shuffle(images(), 4, seed=1))
    assert not shuffle(images(), 4, seed=1).equal(shuffle(images(), 4, seed=2))


def test_patches_that_do_not_divide_the_image_are_an_error_with_the_sizes():
    with pytest.raises(ValueError, match="24 x 16 pixels do not divide into 5 x 5"):
        shuffle(images(), 5)
