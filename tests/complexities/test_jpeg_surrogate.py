import numpy as np
import pytest
import torch
from scipy import fft, stats

from robustinfo.complexities.jpeg_size import Config, measure, surrogate
from robustinfo.distortions.eight_bit import to_bytes
from robustinfo.maths.jpeg_quantisation import steps


def smooth(n, channels, side=32):
    """Images from almost flat to almost noise."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(n, channels, side, side, generator=generator)
    share = torch.linspace(0, 1, n).view(n, 1, 1, 1)
    return 0.5 + share * (noise - 0.5)


def test_of_one_block_it_is_the_logarithms_of_the_coefficients_in_steps():
    x = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ratio = fft.dctn(255 * x[0, 0].numpy() - 128, norm="ortho") / steps(30)[0].numpy()
    expected = 0.5 * np.log2(1 + ratio**2).sum()
    # the transform has libjpeg's constants of 13 bits
    assert surrogate(x, config=Config(quality=30)).item() == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quality", [5, 20, 75])
def test_it_ranks_images_as_the_files_do(channels, quality):
    x, config = smooth(40, channels), Config(quality=quality)
    sizes = measure(to_bytes(x), config=config)
    assert stats.spearmanr(sizes, surrogate(x, config=config)).statistic > 0.9


def test_grey_images_of_three_channels_cost_what_one_channel_costs():
    x = smooth(5, 1).double()
    found = surrogate(x.expand(-1, 3, -1, -1), config=Config(quality=50))
    torch.testing.assert_close(found, surrogate(x, config=Config(quality=50)), rtol=1e-3, atol=1e-3)


def test_a_step_down_its_gradient_makes_the_file_smaller():
    x = smooth(20, 3)[5:].requires_grad_()
    config = Config(quality=75)
    (gradient,) = torch.autograd.grad(surrogate(x, config=config).sum(), x)
    moved = (x - 0.03 * gradient.sign()).clamp(0, 1).detach()
    before, after = (measure(to_bytes(one.detach()), config=config) for one in (x, moved))
    assert (after < before).double().mean() > 0.9


def test_sides_that_are_no_multiple_of_8_are_padded_as_jpeg_pads_them():
    x = smooth(3, 1, side=29)
    last = torch.nn.functional.pad(x, (0, 3, 0, 3), mode="replicate")
    torch.testing.assert_close(
        surrogate(x, config=Config(quality=20)), surrogate(last, config=Config(quality=20))
    )
