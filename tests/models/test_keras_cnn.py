import pytest
import torch

from robustinfo.models import keras_cnn

MNIST = {"blocks": [[32, 64]], "dense": [512, 84]}
CIFAR = {
    "blocks": [[32, 32], [64, 64]], "pad_first": True, "dense": [512, 256, 128, 128, 84],
}  # fmt: skip


def build(shape, classes=10, **settings):
    torch.manual_seed(0)
    return keras_cnn.build(shape, classes, config=keras_cnn.Config(**settings))


def weights(model):
    return sum(weight.numel() for weight in model.parameters())


def test_with_kerass_own_dense_layers_it_has_as_many_weights_as_kerass_examples():
    """mnist_cnn prints 1,199,882 and cifar10_cnn 1,250,858."""
    assert weights(build((1, 28, 28), blocks=[[32, 64]], dense=[128])) == 1_199_882
    assert weights(build((3, 32, 32), **CIFAR | {"dense": [512]})) == 1_250_858


def test_the_layers_are_those_of_the_paper():
    _, seen = build((1, 28, 28), **MNIST).observe(
        torch.rand(2, 1, 28, 28), ("conv1", "act2", "pool1", "fc1", "fc2", "fc3")
    )
    widths = [32 * 26**2, 64 * 24**2, 64 * 12**2, 512, 84, 10]
    assert [t.shape[1] for t in seen.values()] == widths
    model = build((3, 32, 32), **CIFAR)
    points = ("act1", "act2", "pool1", "act3", "act4", "pool2")
    _, seen = model.observe(torch.rand(2, 3, 32, 32), points)
    assert [t.shape[1] for t in seen.values()] == [
        32 * 32**2, 32 * 30**2, 32 * 15**2, 64 * 15**2, 64 * 13**2, 64 * 6**2,
    ]  # fmt: skip


def test_its_points_are_every_layer_before_and_what_the_next_reads_after_the_activation():
    model = build((3, 32, 32), **CIFAR)
    assert model.probes == (
        "conv1", "conv2", "conv3", "conv4", "fc1", "fc2", "fc3", "fc4", "fc5", "fc6",
    )  # fmt: skip
    assert model.activations == (
        "act1", "pool1", "act3", "pool2", "act5", "act6", "act7", "act8", "act9", "softmax",
    )  # fmt: skip
    named = build((1, 28, 28), **MNIST, activations=["act1", "softmax"])
    assert named.activations == ("act1", "softmax")


def test_the_weights_begin_as_in_keras():
    model = build((1, 28, 28), **MNIST)
    bounds = {model.conv2: (6 / (9 * 32 + 9 * 64)) ** 0.5, model.fc2: (6 / (512 + 84)) ** 0.5}
    for layer, bound in bounds.items():
        assert 0.99 * bound < layer.weight.abs().max() <= bound and not layer.bias.any()


def test_images_that_are_pooled_away_are_refused_with_their_size():
    with pytest.raises(ValueError, match="2 blocks leave nothing of images of 8 x 8"):
        build((3, 8, 8), **CIFAR)
