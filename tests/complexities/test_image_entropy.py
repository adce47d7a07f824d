import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats

from robustinfo.complexities import entropy
from robustinfo.complexities.entropy import Config, measure

ALPHABETS = ["byte", "grey", "rgb"]


def images(n, channels, side=16, values=256):
    generator = torch.Generator().manual_seed(0)
    shape = (n, channels, side, side)
    return torch.randint(values, shape, generator=generator, dtype=torch.uint8)


def every_colour_once():
    """A 3 x 4096 x 4096 image would be needed for all; here every 5th level of each channel."""
    levels = torch.arange(0, 256, 5, dtype=torch.uint8)
    return torch.cartesian_prod(levels, levels, levels).T.reshape(1, 3, len(levels), -1)


def test_grey_is_the_luma_of_pillow():
    colours = every_colour_once()
    pillow = Image.fromarray(colours[0].permute(1, 2, 0).numpy()).convert("L")
    ours = entropy.symbols(colours, "grey")[0]
    np.testing.assert_array_equal(ours, np.asarray(pillow).flatten())


def test_different_colours_are_different_triples():
    triples = entropy.symbols(every_colour_once(), "rgb")[0]
    assert len(triples.unique()) == len(triples)


def test_the_plug_in_entropy_of_triples_is_that_of_scipy():
    x = images(4, 3, values=4)
    expected = [
        stats.entropy(np.unique(image.reshape(3, -1), axis=1, return_counts=True)[1], base=2)
        for image in x.numpy()
    ]
    bits = measure(x, config=Config(alphabet="rgb", estimator="plug_in"))
    np.testing.assert_allclose(bits, expected)


def test_the_bytes_are_those_of_all_channels():
    x = images(4, 3)
    stacked = x.reshape(4, 1, 3 * 16, 16)
    config = Config(alphabet="byte", estimator="plug_in")
    torch.testing.assert_close(measure(x, config=config), measure(stacked, config=config))


@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("estimator", ["plug_in", "jvhw"])
def test_with_one_channel_all_alphabets_are_bytes(alphabet, estimator):
    x = images(4, 1)
    bits = measure(x, config=Config(alphabet=alphabet, estimator=estimator))
    expected = measure(x, config=Config(alphabet="byte", estimator=estimator))
    torch.testing.assert_close(bits, expected)


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_a_constant_image_has_no_entropy(alphabet):
    constant = torch.full((1, 3, 28, 28), 77, dtype=torch.uint8)
    assert measure(constant, config=Config(alphabet=alphabet, estimator="plug_in")).item() == 0
    jvhw = measure(constant, config=Config(alphabet=alphabet, estimator="jvhw")).item()
    assert jvhw == pytest.approx(0.001, abs=1e-3)


def test_every_byte_once_is_eight_bits():
    ramp = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert measure(ramp, config=Config(alphabet="byte", estimator="plug_in")).item() == 8


@pytest.mark.parametrize("estimator", ["plug_in", "jvhw"])
def test_the_order_of_the_pixels_does_not_matter(estimator):
    x = images(2, 3, values=40)
    config = Config(alphabet="rgb", estimator=estimator)
    torch.testing.assert_close(measure(x.transpose(2, 3), config=config), measure(x, config=config))


@pytest.mark.parametrize("estimator", ["plug_in", "jvhw"])
def test_an_image_measures_the_same_alone_and_among_more_than_one_batch(estimator):
    x = images(entropy.IMAGES_AT_ONCE + 5, 1, side=4)
    config = Config(alphabet="byte", estimator=estimator)
    together = measure(x, config=config)
    assert together.shape == (len(x),) and together.dtype == torch.float64
    torch.testing.assert_close(together[-1:], measure(x[-1:], config=config))


@pytest.mark.parametrize("estimator", ["plug_in", "jvhw"])
def test_no_images_give_no_values(estimator):
    bits = measure(images(0, 3), config=Config(alphabet="grey", estimator=estimator))
    assert bits.shape == (0,)


@pytest.mark.parametrize("alphabet", ["grey", "rgb"])
def test_a_number_of_channels_without_colours_is_an_error(alphabet):
    with pytest.raises(ValueError, match="not 2"):
        measure(images(1, 2), config=Config(alphabet=alphabet, estimator="plug_in"))


def test_images_that_are_not_bytes_are_an_error():
    with pytest.raises(ValueError, match="float32"):
        measure(torch.rand(1, 3, 4, 4), config=Config(alphabet="byte", estimator="plug_in"))


def test_an_unknown_alphabet_is_an_error():
    with pytest.raises(ValueError, match="alphabet"):
        Config(alphabet="hue", estimator="plug_in")
