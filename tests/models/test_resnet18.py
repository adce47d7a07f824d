import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import resnet18 as torchvisions

from robustinfo.models import resnet18

BLOCKS = tuple(f"stage{stage}.block{number}" for stage in (1, 2, 3, 4) for number in (1, 2))
POINTS = ("act", *BLOCKS, "average")


def build(shape=(3, 32, 32), classes=10, **settings):
    torch.manual_seed(0)
    return resnet18.build(shape, classes, config=resnet18.Config(**{"width": 4} | settings))


def counted_by_hand(width, channels, classes):
    """Convolutions without biases, two numbers per channel of a BatchNorm, the classifier."""
    total, inside = 9 * channels * width + 2 * width, width
    for out in (width, 2 * width, 4 * width, 8 * width):
        total += 9 * inside * out + 3 * 9 * out * out + 4 * 2 * out
        total += inside * out + 2 * out if inside != out else 0
        inside = out
    return total + inside * classes + classes


def slow_twin(model, x):
    """The network again, from its tensors alone: logits and the ten points."""
    w = model.state_dict()

    def convolved(t, conv, norm, stride=1):
        weight = w[f"{conv}.weight"]
        t = F.conv2d(t, weight, stride=stride, padding=weight.shape[-1] // 2)
        mean, variance = w[f"{norm}.running_mean"], w[f"{norm}.running_var"]
        t = (t - mean[:, None, None]) / (variance + 1e-5).sqrt()[:, None, None]
        return w[f"{norm}.weight"][:, None, None] * t + w[f"{norm}.bias"][:, None, None]

    x = convolved(x, "conv", "norm").clamp(min=0)
    points = [x]
    for name in BLOCKS:
        stride = 2 if name in BLOCKS[2::2] else 1
        inner = convolved(x, f"{name}.conv1", f"{name}.norm1", stride).clamp(min=0)
        inner = convolved(inner, f"{name}.conv2", f"{name}.norm2")
        if stride == 2:
            x = convolved(x, f"{name}.shortcut.conv", f"{name}.shortcut.norm", stride)
        x = (inner + x).clamp(min=0)
        points.append(x)
    points.append(x.mean((2, 3)))
    return points[-1] @ w["fc.weight"].T + w["fc.bias"], points


def test_it_has_the_published_number_of_weights(count):
    """11.17 million: CIFAR-10's, and CIFAR-100's."""
    for classes, weights in ((10, 11_173_962), (100, 11_220_132)):
        with torch.device("meta"):
            model = build(classes=classes, width=64)
        assert count(model) == weights == counted_by_hand(64, 3, classes)
    assert resnet18.Config() == resnet18.Config(width=64)


@pytest.mark.parametrize("shape, classes", [((1, 28, 28), 7), ((3, 64, 64), 200)])
@pytest.mark.parametrize("width", [1, 8, 10])
def test_its_weights_are_those_of_the_formula(count, shape, classes, width):
    assert count(build(shape, classes, width=width)) == counted_by_hand(width, shape[0], classes)


@pytest.mark.parametrize("sides", [(28, 28), (32, 32), (20, 13)])
def test_it_is_what_its_slow_twin_computes_from_the_same_tensors(stirred, sides):
    model, x = stirred(build()), torch.rand(3, 3, *sides)
    logits, seen = model.observe(x, POINTS)
    expected, points = slow_twin(model, x)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)
    for name, point in zip(POINTS, points, strict=True):
        torch.testing.assert_close(seen[name], point.flatten(1), rtol=1e-4, atol=1e-4)


def torchvisions_name(name):
    name = re.sub(r"^norm", "bn1", name.replace("conv.", "conv1.") if name[0] == "c" else name)
    name = re.sub(r"stage(\d)\.block(\d)", lambda m: f"layer{m[1]}.{int(m[2]) - 1}", name)
    name = name.replace("shortcut.conv", "downsample.0").replace("shortcut.norm", "downsample.1")
    return re.sub(r"\.norm(\d)", r".bn\1", name)


@pytest.mark.parametrize("side", [16, 33])
def test_it_is_torchvisions_resnet_18_without_its_first_layers(stirred, side):
    model, x = stirred(build(width=64)), torch.rand(2, 3, side, side)
    with torch.device("meta"):
        twin = torchvisions(num_classes=10)
        twin.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    twin.maxpool = nn.Identity()
    state = model.state_dict()
    assert state.pop("mask.passes").eq(1).all()
    tensors = {torchvisions_name(name): tensor for name, tensor in state.items()}
    twin.load_state_dict(tensors, assign=True)
    torch.testing.assert_close(model(x), twin.eval()(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 96, 96), (1, 9, 9)])
def test_it_takes_images_of_any_size_and_halves_them_three_times(shape):
    model, x = build(shape, 7).eval(), torch.rand(2, *shape)
    points = ("act", "stage1", "stage2", "stage3", "stage4", "average")
    logits, seen = model.observe(x, points)
    assert logits.shape == (2, 7) and logits.equal(model(x))
    side = shape[1]
    half, quarter, eighth = -(-side // 2), -(-side // 4), -(-side // 8)
    widths = [4 * side**2, 4 * side**2, 8 * half**2, 16 * quarter**2, 32 * eighth**2, 32]
    assert {name: t.shape[1] for name, t in seen.items()} == dict(zip(points, widths, strict=True))


def test_an_image_is_classified_the_same_in_any_company(stirred):
    model, x = stirred(build()), torch.rand(6, 3, 32, 32)
    together = model(x)
    for chosen in ([0], [3, 1], [5, 4, 3, 2, 1, 0]):
        torch.testing.assert_close(model(x[chosen]), together[chosen])
    assert model(x).equal(together)


def test_its_points_are_the_first_activation_every_block_and_the_features_and_none_is_negative(
    stirred,
):
    model = stirred(build())
    assert model.probes == POINTS and model.activations == (*POINTS, "softmax")
    _, seen = model.observe(torch.rand(2, 3, 32, 32), (*model.activations, "stage3"))
    assert all(t.min() >= 0 and t.max() > 0 for t in seen.values())
    assert seen["stage3"].equal(seen["stage3.block2"])


def test_a_point_within_a_block_is_seen_as_it_was_before_what_follows(stirred):
    """torchvision's block adds to the output of its second BatchNorm in place."""
    model, x = stirred(build()), torch.rand(2, 3, 32, 32)
    names = ("norm", "stage1.block1.norm1", "stage1.block1.act1", "stage1.block1.norm2")
    _, seen = model.observe(x, (*names, "stage1.block1"))
    block, first = model.stage1.block1, model.norm(model.conv(x))
    assert seen["norm"].equal(first.flatten(1)) and first.min() < 0
    inner = block.norm1(block.conv1(first.relu()))
    assert seen["stage1.block1.norm1"].equal(inner.flatten(1)) and inner.min() < 0
    assert seen["stage1.block1.act1"].equal(inner.relu().flatten(1))
    added = block.norm2(block.conv2(inner.relu()))
    assert seen["stage1.block1.norm2"].equal(added.flatten(1))
    assert seen["stage1.block1"].equal((added + first.relu()).relu().flatten(1))


def test_a_block_that_adds_nothing_leaves_its_input_alone():
    model, x = build().eval(), torch.rand(2, 4, 16, 16)
    for block in (model.stage1.block1, model.stage1.block2):
        nn.init.zeros_(block.norm2.weight)
    assert model.stage1(x).equal(x)


def test_a_channel_of_the_last_stage_that_is_0_adds_nothing_to_what_follows(stirred):
    model, x = stirred(build()), torch.rand(3, 3, 32, 32)
    mask = torch.ones(32, 1, 1)
    mask[[4, 17]] = 0
    handle = model.stage4.register_forward_hook(lambda _layer, _x, t: t * mask)
    masked = model(x)
    handle.remove()
    assert not torch.allclose(masked, model(x))
    model.fc.weight.data[:, [4, 17]] = 0
    torch.testing.assert_close(masked, model(x))


def test_its_convolutions_begin_normal_by_fan_out():
    model = build(width=16)
    for layer in (model.stage1.block2.conv1, model.stage3.block1.shortcut.conv):
        out, _, side, _ = layer.weight.shape
        expected = (2 / (out * side * side)) ** 0.5
        assert layer.weight.std().item() == pytest.approx(expected, rel=0.05)


def test_a_narrow_one_learns_a_few_images_by_heart():
    model, x, y = build(width=8), torch.rand(10, 3, 32, 32), torch.arange(10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(25):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    assert model(x).argmax(1).equal(y)


@pytest.mark.parametrize("width", [0, -8, 0.125, "64"])
def test_a_width_is_a_whole_number_above_0(width):
    with pytest.raises(ValueError, match="width"):
        resnet18.Config(width=width)


def test_an_unknown_layer_is_refused_with_the_choices():
    choices = (
        "input, conv, norm, act, stage1, stage2, stage3, stage4, mask, average, flatten, fc, soft"
    )
    with pytest.raises(ValueError, match=f"no layer 'stage5'; choose from {choices}"):
        build(probes=["stage5"])
