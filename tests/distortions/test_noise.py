from functools import partial

import pytest
import torch
from scipy.stats import poisson

from robustinfo.distortions import (
    gaussian_noise,
    impulse_noise,
    l2_noise,
    linf_noise,
    shot_noise,
    speckle_noise,
)

NOISES = [
    partial(gaussian_noise.distort, config=gaussian_noise.Config(snr_db=10)),
    partial(gaussian_noise.distort, config=gaussian_noise.Config(std=0.1)),
    partial(shot_noise.distort, config=shot_noise.Config(photons=50)),
    partial(impulse_noise.distort, config=impulse_noise.Config(amount=0.1)),
    partial(speckle_noise.distort, config=speckle_noise.Config(std=0.1)),
    partial(linf_noise.distort, config=linf_noise.Config(epsilon="8/255")),
    partial(l2_noise.distort, config=l2_noise.Config(epsilon=0.5)),
]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def mid_grey(level=0.5):
    return torch.full((2, 3, 64, 64), level, dtype=torch.float64)


@pytest.mark.parametrize("noise", NOISES)
def test_noise_keeps_the_range_the_shape_and_the_dtype(noise):
    x = torch.rand(4, 3, 8, 8, generator=seeded())
    noisy = noise(x, generator=seeded())
    assert noisy.shape == x.shape and noisy.dtype == x.dtype
    assert 0 <= noisy.min() and noisy.max() <= 1
    assert not noisy.equal(x)


@pytest.mark.parametrize("noise", NOISES)
def test_the_seed_alone_decides_the_noise(noise):
    torch.manual_seed(1)
    first = noise(mid_grey(), generator=seeded(3))
    torch.manual_seed(2)
    assert noise(mid_grey(), generator=seeded(3)).equal(first)
    assert not noise(mid_grey(), generator=seeded(4)).equal(first)


@pytest.mark.parametrize("noise", NOISES)
def test_every_image_gets_noise_of_its_own(noise):
    first, second = noise(mid_grey(), generator=seeded())
    assert not first.equal(second)


@pytest.mark.parametrize("snr_db", [20.0, 30.0, 40.0])
def test_gaussian_noise_has_the_signal_to_noise_ratio_that_was_asked_for(snr_db):
    x = torch.cat([mid_grey(0.5), mid_grey(0.4)])  # where nothing of this noise is clamped
    noise = (
        gaussian_noise.distort(x, config=gaussian_noise.Config(snr_db=snr_db), generator=seeded())
        - x
    )
    power = x.square().mean(dim=(1, 2, 3)) / noise.square().mean(dim=(1, 2, 3))
    torch.testing.assert_close(10 * power.log10(), torch.full_like(power, snr_db), atol=0.2, rtol=0)


def test_gaussian_noise_leaves_a_black_image_black():
    black = torch.zeros(1, 1, 4, 4)
    config = gaussian_noise.Config(snr_db=0)
    assert gaussian_noise.distort(black, config=config, generator=seeded()).equal(black)


def test_linf_noise_fills_its_ball_evenly():
    epsilon = 8 / 255
    config = linf_noise.Config(epsilon="8/255")
    delta = linf_noise.distort(mid_grey(), config=config, generator=seeded()) - 0.5
    assert 0.999 * epsilon < delta.abs().max() <= epsilon
    assert delta.mean().item() == pytest.approx(0, abs=0.02 * epsilon)
    assert delta.var().item() == pytest.approx(epsilon**2 / 3, rel=0.02)


def test_l2_noise_lies_on_its_sphere_before_it_is_clamped():
    delta = (
        l2_noise.distort(mid_grey(), config=l2_noise.Config(epsilon=0.5), generator=seeded()) - 0.5
    )
    torch.testing.assert_close(delta.flatten(1).norm(dim=1), torch.full((2,), 0.5).double())


def test_l2_noise_comes_no_further_than_epsilon_when_it_is_clamped():
    white = mid_grey(1.0)
    delta = l2_noise.distort(white, config=l2_noise.Config(epsilon=0.5), generator=seeded()) - white
    assert (delta.flatten(1).norm(dim=1) < 0.5).all()


@pytest.mark.parametrize("noise", [linf_noise, l2_noise])
def test_noise_of_no_size_changes_nothing(noise):
    x = mid_grey()
    assert noise.distort(x, config=noise.Config(epsilon=0), generator=seeded()).equal(x)


@pytest.mark.parametrize("noise", [linf_noise, l2_noise])
def test_a_negative_size_is_an_error(noise):
    with pytest.raises(ValueError, match="epsilon"):
        noise.Config(epsilon=-0.1)


@pytest.mark.parametrize(
    ("method", "settings", "variance"),
    [
        (gaussian_noise, {"std": 0.08}, 0.08**2),
        (shot_noise, {"photons": 100}, 0.4 / 100),
        (speckle_noise, {"std": 0.2}, (0.2 * 0.4) ** 2),
    ],
)
def test_noise_has_the_mean_of_the_image_and_its_own_variance(method, settings, variance):
    x = mid_grey(0.4)
    noisy = method.distort(x, config=method.Config(**settings), generator=seeded())
    assert noisy.mean().item() == pytest.approx(0.4, abs=0.002)
    assert noisy.var().item() == pytest.approx(variance, rel=0.05)


def test_shot_noise_counts_whole_photons_as_a_poisson_distribution_does():
    x = torch.full((1, 1, 200, 200), 0.5, dtype=torch.float64)
    noisy = shot_noise.distort(x, config=shot_noise.Config(photons=6), generator=seeded())
    counts = (6 * noisy).round()
    torch.testing.assert_close(6 * noisy, counts)
    for count in range(6):  # more than six are clamped
        share = (counts == count).double().mean().item()
        assert share == pytest.approx(poisson.pmf(count, 3), abs=0.01)


def test_impulse_noise_replaces_its_share_of_values_by_black_and_white_alike():
    x, config = mid_grey(0.4), impulse_noise.Config(amount=0.2)
    noisy = impulse_noise.distort(x, config=config, generator=seeded())
    assert {*noisy.unique().tolist()} == {0.0, 0.4, 1.0}
    for value in (0, 1):
        assert (noisy == value).double().mean().item() == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("settings", [{}, {"snr_db": 10.0, "std": 0.1}])
def test_the_size_of_gaussian_noise_is_said_once(settings):
    with pytest.raises(ValueError, match="either `snr_db` or `std`"):
        gaussian_noise.Config(**settings)
