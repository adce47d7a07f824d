"""IB-RAR's mask, arXiv 2302.10896, eq. 3 and algorithm 1, and that of the published code."""

from collections import OrderedDict

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from robustinfo.defences import _cutting, ib_rar
from robustinfo.models import resnet18, vgg16, wide_resnet
from robustinfo.models._mask import ChannelMask, cut_in_training, masked_points
from robustinfo.models._network import Network

STANDARD = {"method": "standard", "loss": {"method": "cross_entropy"}}
ADVERSARIAL = STANDARD | {
    "method": "adversarial",
    "attack": {"epsilon": 0.1, "step_size": 0.03, "steps": 2},
}
Y = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
HALF = torch.tensor([0.0, 0, 0, 1, 0, 1, 1, 1])
# nHSIC with the labels: 1, 0, 1/4 of the most, and with HALF 1/4, 0, 1 (tests/maths).
CHANNELS = torch.stack([Y.float(), torch.full((8,), 0.3), HALF], 1)[:, :, None, None]
EVERY_STEP = {"mask": "every_step", "masked_share": 0.34}
IN_TEN = {"mask": "one_in_ten", "masked_share": 0.34, "masked_share_by_input": 0.34}


def network():
    """Its maps are the images."""
    torch.manual_seed(0)
    layers = OrderedDict(
        conv=nn.Conv2d(3, 3, 1, bias=False), mask=ChannelMask(3), flatten=nn.Flatten(),
        fc=nn.Linear(3, 2),
    )  # fmt: skip
    with torch.no_grad():
        layers["conv"].weight[:] = torch.eye(3)[:, :, None, None]
    return Network(layers, ["conv", "fc"], [])


def terms(model, base=STANDARD, **settings):
    config = ib_rar.Config(base=base, **settings)
    return ib_rar.loss_terms(
        model, CHANNELS, Y, config=config, generator=torch.Generator(), state={}
    )


def without(*channels):
    """The network with those channels cut for good."""
    model = network()
    model.mask.passes[list(channels)] = 0.0
    return model


def test_in_every_step_the_channel_is_cut_that_tells_least_of_the_batchs_labels():
    found, expected = terms(network().train(), **EVERY_STEP), terms(without(1), masked_share=0.0)
    assert all(found[name].equal(expected[name]) for name in expected)
    assert not found["clean"].equal(terms(network().train(), masked_share=0.0)["clean"])


def test_the_code_also_cuts_the_channel_that_knows_most_of_the_images():
    keep = _cutting._kept_channels(Y, ib_rar.Config(base=STANDARD, **IN_TEN))
    assert keep(HALF[:, None], CHANNELS).tolist() == [True, False, False]
    assert keep(Y[:, None].float(), CHANNELS).tolist() == [False, False, True]


def test_a_masked_channel_carries_no_gradient():
    model = network().train()
    sum(terms(model, **EVERY_STEP).values()).backward()
    slopes = model.conv.weight.grad.flatten(1)
    assert not slopes[1].any() and not model.fc.weight.grad[:, 1].any()
    assert slopes[0].any() and slopes[2].any()


def test_a_step_leaves_no_mask_behind_and_in_eval_mode_there_is_none():
    model = network().train()
    before = model.eval()(CHANNELS)
    with cut_in_training(model, _cutting._kept_channels(Y, ib_rar.Config(base=STANDARD, **IN_TEN))):
        assert model.eval()(CHANNELS).equal(before)
        assert not model.train()(CHANNELS).equal(before)
    assert model.train()(CHANNELS).equal(before) and model.mask.passes.all()


def test_adversaries_are_made_without_the_mask():
    made = []
    for settings in (EVERY_STEP, {"masked_share": 0.0}):
        model = network().train()
        model.conv.register_forward_hook(lambda _layer, given, _out: made.append(given[0]))
        terms(model, ADVERSARIAL, **settings)
    half = len(made) // 2  # two steps, the adversaries, and the clean images
    assert half >= 4
    assert all(one.equal(other) for one, other in zip(made[:half], made[half:], strict=True))


def test_the_codes_mask_is_one_in_ten_and_never_lasts():
    config, generator = ib_rar.Config(base=STANDARD, **IN_TEN), torch.Generator().manual_seed(0)
    model = network().train()
    masked = 0
    for _ in range(1000):
        with _cutting.masked_step(model, Y, config=config, generator=generator):
            masked += len(model.mask._forward_hooks)
    assert 70 < masked < 130 and not model.mask._forward_hooks
    assert not ib_rar.finishes(config)
    assert ib_rar.finishes(ib_rar.Config(base=STANDARD, **EVERY_STEP))


@pytest.mark.parametrize(
    "method, points, read",
    [
        (vgg16, ("block4", "block5", "fc1"), ("block4", "mask", "fc1")),
        (vgg16, ("block5.conv3", "block5.pool"), ("block5.conv3", "mask")),
        (resnet18, ("stage3.block2", "stage4.block2"), ("stage3.block2", "mask")),
        (resnet18, ("stage4.block2.conv2", "average"), ("stage4.block2.conv2", "average")),
        (wide_resnet, ("conv1", "act"), ("conv1", "mask")),
    ],
)
def test_the_layer_that_the_mask_reads_is_read_masked(method, points, read):
    with torch.device("meta"):
        model = method.build((3, 32, 32), 10, config=method.Config())
    assert masked_points(model, points) == read


def test_the_input_decides_of_the_codes_mask_alone():
    with pytest.raises(ValidationError, match="`masked_share_by_input` goes with"):
        ib_rar.Config(base=STANDARD, mask="every_step", masked_share_by_input=0.1)
