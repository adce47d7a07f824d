import pytest
import torch

from robustinfo.models import lenet5


def build(shape=(1, 28, 28), classes=10, **settings):
    torch.manual_seed(0)
    return lenet5.build(shape, classes, config=lenet5.Config(**settings))


def test_lenet5_has_61706_weights():
    assert sum(weight.numel() for weight in build().parameters()) == 61_706


def test_every_layer_has_the_width_of_the_paper():
    layers = ("conv1", "pool1", "conv2", "pool2", "fc1", "fc2", "fc3", "softmax")
    logits, seen = build().observe(torch.rand(3, 1, 28, 28), layers)
    assert logits.shape == (3, 10)
    widths = [6 * 28 * 28, 6 * 14 * 14, 16 * 10 * 10, 16 * 5 * 5, 120, 84, 10, 10]
    assert {name: tuple(t.shape) for name, t in seen.items()} == {
        name: (3, d) for name, d in zip(layers, widths, strict=True)
    }


@pytest.mark.parametrize("shape", [(3, 32, 32), (3, 96, 96), (1, 12, 12), (1, 13, 31)])
def test_it_takes_images_of_any_size_from_12_pixels(shape):
    assert build(shape, 7)(torch.rand(2, *shape)).shape == (2, 7)


def test_smaller_images_are_refused_with_their_size():
    with pytest.raises(ValueError, match="not 11 x 28"):
        build((1, 11, 28))


def test_observed_layers_come_in_the_order_of_the_network_whatever_the_order_asked():
    model, x = build(), torch.rand(2, 1, 28, 28)
    logits, seen = model.observe(x, ("softmax", "act4", "conv1", "pool2"))
    assert list(seen) == ["conv1", "pool2", "act4", "softmax"]
    assert logits.equal(model(x))
    torch.testing.assert_close(seen["softmax"].sum(1), torch.ones(2))
    assert seen["softmax"].equal(logits.softmax(1))
    assert seen["act4"].min() >= 0 > seen["conv1"].min()


def test_points_are_kept_in_layer_order_so_that_first_and_last_mean_what_they_say():
    model = build(activations=["softmax", "pool1", "act3"], probes=["fc3", "conv1"])
    assert model.activations == ("pool1", "act3", "softmax")
    assert model.probes == ("conv1", "fc3")


@pytest.mark.parametrize("points", ["probes", "activations"])
def test_an_unknown_layer_is_refused_with_the_choices(points):
    with pytest.raises(
        ValueError, match=r"no layer 'conv9'; choose from input, conv1, .*fc3, softmax"
    ):
        build(**{points: ["conv9", "softmax"]})


def test_its_ends_are_the_images_and_the_probabilities():
    model, x = build(activations=["input", "softmax"]), torch.rand(2, 1, 28, 28)
    logits, seen = model.observe(x, model.activations)
    assert seen["input"].equal(x.flatten(1)) and seen["softmax"].equal(logits.softmax(1))


def test_a_sigmoid_lenet_has_the_same_weights_and_outputs_between_0_and_1():
    model, x = build(activation="sigmoid"), torch.rand(2, 1, 28, 28)
    assert model.state_dict().keys() == build().state_dict().keys()
    _, seen = model.observe(x, ("act1", "act4"))
    assert all(0 < h.min() and h.max() < 1 for h in seen.values())
