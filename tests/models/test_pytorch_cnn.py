import pytest
import torch

from robustinfo.models import pytorch_cnn

LAYERS = ("conv1", "pool1", "conv2", "pool2", "fc1", "fc2", "softmax")


def build(shape=(1, 28, 28), classes=10, **settings):
    torch.manual_seed(0)
    return pytorch_cnn.build(shape, classes, config=pytorch_cnn.Config(**settings))


def test_it_has_the_21840_weights_of_pytorchs_example(count):
    assert count(build()) == 21_840


def test_every_layer_has_the_width_of_the_example_and_320_go_into_the_dense_layers():
    logits, seen = build().observe(torch.rand(3, 1, 28, 28), LAYERS)
    widths = [10 * 24 * 24, 10 * 12 * 12, 20 * 8 * 8, 320, 50, 10, 10]
    assert logits.shape == (3, 10)
    assert {name: tuple(t.shape) for name, t in seen.items()} == {
        name: (3, d) for name, d in zip(LAYERS, widths, strict=True)
    }


def test_pooling_and_relu_may_change_places():
    """The example pools first."""
    model, x = build(), torch.rand(3, 1, 28, 28)
    _, seen = model.observe(x, ("pool1", "pool2"))
    one = model.act1(model.pool1(model.conv1(x)))
    two = model.act2(model.pool2(model.conv2(one)))
    assert seen["pool1"].equal(one.flatten(1)) and seen["pool2"].equal(two.flatten(1))


def test_its_activations_are_what_the_next_layer_reads_and_of_one_sign():
    model = build()
    assert model.activations == ("pool1", "pool2", "act3", "softmax")
    _, seen = model.observe(torch.rand(3, 1, 28, 28), model.activations)
    assert all(t.min() >= 0 for t in seen.values())
    assert build(probes=["fc1", "pool1"]).probes == ("pool1", "fc1")


@pytest.mark.parametrize("shape", [(3, 32, 32), (3, 96, 96), (1, 16, 16), (1, 17, 31)])
def test_it_takes_images_of_any_size_from_16_pixels(shape):
    assert build(shape, 7)(torch.rand(2, *shape)).shape == (2, 7)


def test_smaller_images_are_refused_with_their_size():
    with pytest.raises(ValueError, match="not 15 x 28"):
        build((1, 15, 28))
