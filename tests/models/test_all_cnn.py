import pytest
import torch

from robustinfo.models import all_cnn, densenet


def network(module, shape=(3, 32, 32), **numbers):
    torch.manual_seed(0)
    return module.build(shape, 10, config=module.Config(**numbers)).eval()


def weights(model):
    return sum(weight.numel() for weight in model.parameters())


def test_all_cnn_c_has_the_published_number_of_weights():
    assert weights(network(all_cnn)) == 1_369_738


def test_densenet_bc_100_12_has_the_published_number_of_weights():
    assert weights(network(densenet)) == 769_162


@pytest.mark.parametrize("side", [28, 32])
def test_the_last_maps_are_a_quarter_of_the_side_and_their_means_the_logits(side):
    model = network(all_cnn, (1, side, side), filters=[4, 8])
    logits, seen = model.observe(torch.rand(3, 1, side, side), ("maps",))
    maps = seen["maps"].unflatten(1, (10, side // 4, side // 4))
    torch.testing.assert_close(maps.mean((2, 3)), logits)


def test_densenet_halves_the_image_between_blocks():
    model = network(densenet, (1, 28, 28), blocks=[2, 2, 2], growth=4)
    _, seen = model.observe(torch.rand(2, 1, 28, 28), ("denseblock1", "denseblock3", "act"))
    assert seen["denseblock1"].shape == (2, (8 + 2 * 4) * 28 * 28)
    assert seen["denseblock3"].shape[1] % (7 * 7) == 0
    assert seen["act"].min() >= 0


@pytest.mark.parametrize("module, least", [(all_cnn, "4 x 4"), (densenet, "4 x 4")])
def test_an_image_that_is_too_small_is_an_error(module, least):
    with pytest.raises(ValueError, match=f"{least} pixels, not 2 x 2"):
        network(module, (1, 2, 2))
