import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.vgg import VGG, cfgs, make_layers

from robustinfo.models import vgg16

POINTS = ("block1", "block2", "block3", "block4", "block5", "fc1", "fc2")
FILTERS = [n for n in cfgs["D"] if n != "M"]  # torchvision's, 64 first


def build(shape=(3, 32, 32), classes=10, **settings):
    torch.manual_seed(0)
    config = vgg16.Config(**{"width": 4, "hidden": 12} | settings)
    return vgg16.build(shape, classes, config=config)


def counted_by_hand(width, hidden, channels, classes):
    """Convolutions and linear layers with biases, two numbers per channel of a BatchNorm."""
    total = 0
    for filters in FILTERS:
        out = filters * width // 64
        total += 9 * channels * out + out + 2 * out
        channels = out
    for inside in (channels, hidden):
        total += inside * hidden + hidden + 2 * hidden
    return total + hidden * classes + classes


def slow_twin(model, x):
    """The network again, from its tensors alone: logits and the seven points."""
    w = model.state_dict()

    def active(t, norm):
        shape = (-1, *[1] * (t.ndim - 2))
        mean, variance = w[f"{norm}.running_mean"], w[f"{norm}.running_var"]
        t = (t - mean.view(shape)) / (variance + 1e-5).sqrt().view(shape)
        t = w[f"{norm}.weight"].view(shape) * t + w[f"{norm}.bias"].view(shape)
        return torch.where(t > 0, t, 0)

    points = []
    for block, convolutions in enumerate((2, 2, 3, 3, 3), 1):
        for number in range(1, convolutions + 1):
            name = f"block{block}.conv{number}"
            x = F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], padding=1)
            x = active(x, f"block{block}.norm{number}")
        _, _, h, wide = x.shape
        x = F.pad(x, (0, wide % 2, 0, h % 2), value=-torch.inf)
        x = x.unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5))
        points.append(x)
    x = x.mean((2, 3))
    for name in ("fc1", "fc2"):
        x = x @ w[f"{name}.linear.weight"].T + w[f"{name}.linear.bias"]
        x = active(x, f"{name}.norm")
        points.append(x)
    return x @ w["fc3.weight"].T + w["fc3.bias"], points


def test_its_convolutions_have_the_published_number_of_weights(count):
    """14,728,266 with the one dense layer that is usual on CIFAR-10."""
    with torch.device("meta"):
        model = build(width=64, hidden=4096)
    convolutions = sum(count(model.get_submodule(block)) for block in POINTS[:5])
    assert convolutions + 512 * 10 + 10 == 14_728_266


def test_with_two_hidden_layers_of_4096_it_has_the_published_number_of_weights(count):
    """33,638,218 without the BatchNorm, which has two numbers per filter and per neuron."""
    with torch.device("meta"):
        model = build(width=64, hidden=4096)
    assert sum(FILTERS) == 4224
    assert count(model) == 33_638_218 + 2 * (4224 + 2 * 4096) == counted_by_hand(64, 4096, 3, 10)
    assert vgg16.Config() == vgg16.Config(width=64, hidden=4096)


@pytest.mark.parametrize("shape, classes", [((1, 28, 28), 7), ((3, 64, 64), 200)])
@pytest.mark.parametrize("width, hidden", [(1, 5), (8, 64), (12, 3)])
def test_its_weights_are_those_of_the_formula(count, shape, classes, width, hidden):
    model = build(shape, classes, width=width, hidden=hidden)
    assert count(model) == counted_by_hand(width, hidden, shape[0], classes)


@pytest.mark.parametrize("sides", [(28, 28), (32, 32), (21, 50)])
def test_it_is_what_its_slow_twin_computes_from_the_same_tensors(stirred, sides):
    model, x = stirred(build()), torch.rand(3, 3, *sides)
    logits, seen = model.observe(x, POINTS)
    expected, points = slow_twin(model, x)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)
    for name, point in zip(POINTS, points, strict=True):
        torch.testing.assert_close(seen[name], point.flatten(1), rtol=1e-4, atol=1e-4)


def folded(layer):
    """One linear layer instead of a linear one and its BatchNorm."""
    scale = layer.norm.weight / (layer.norm.running_var + layer.norm.eps).sqrt()
    weight = scale[:, None] * layer.linear.weight
    return weight, scale * (layer.linear.bias - layer.norm.running_mean) + layer.norm.bias


@pytest.mark.parametrize("side", [32, 64])
def test_it_is_torchvisions_vgg_16_where_all_sides_are_even(stirred, side):
    model, x = stirred(build()), torch.rand(3, 3, side, side)
    plan = [n if n == "M" else n // 16 for n in cfgs["D"]]
    with torch.device("meta"):  # torchvision's own dense layers would take 500 MB
        twin = VGG(make_layers(plan, batch_norm=True), init_weights=False)
    tensors = [t for name in POINTS[:5] for t in model.get_submodule(name).state_dict().values()]
    names = twin.features.state_dict()
    twin.features.load_state_dict(dict(zip(names, tensors, strict=True)), assign=True)
    twin.avgpool = nn.AdaptiveAvgPool2d(1)
    weights = [folded(model.fc1), folded(model.fc2), (model.fc3.weight, model.fc3.bias)]
    for place, (weight, bias) in zip((0, 3, 6), weights, strict=True):
        twin.classifier[place] = nn.Linear(*weight.T.shape)
        twin.classifier[place].load_state_dict({"weight": weight, "bias": bias})
    torch.testing.assert_close(model(x), twin.eval()(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "shape, sides",
    [
        ((1, 28, 28), [14, 7, 4, 2, 1]),
        ((3, 32, 32), [16, 8, 4, 2, 1]),
        ((3, 64, 64), [32, 16, 8, 4, 2]),
        ((3, 96, 96), [48, 24, 12, 6, 3]),
        ((1, 5, 5), [3, 2, 1, 1, 1]),
    ],
)
def test_it_takes_images_of_any_size_and_halves_them_five_times(shape, sides):
    model, x = build(shape, 7).eval(), torch.rand(2, *shape)
    logits, seen = model.observe(x, model.probes)
    assert logits.shape == (2, 7) and logits.equal(model(x))
    widths = [4 * n * side**2 for n, side in zip((1, 2, 4, 8, 8), sides, strict=True)]
    assert {name: t.shape[1] for name, t in seen.items()} == dict(
        zip(POINTS, [*widths, 12, 12], strict=True)
    )


def test_an_image_is_classified_the_same_in_any_company(stirred):
    model, x = stirred(build()), torch.rand(6, 3, 32, 32)
    together = model(x)
    for chosen in ([0], [3, 1], [5, 4, 3, 2, 1, 0]):
        torch.testing.assert_close(model(x[chosen]), together[chosen])
    assert model(x).equal(together)


def test_its_points_are_the_seven_of_the_paper_and_none_is_negative(stirred):
    model = stirred(build())
    assert model.probes == POINTS and model.activations == (*POINTS, "softmax")
    _, seen = model.observe(torch.rand(2, 3, 32, 32), model.activations)
    assert all(t.min() >= 0 and t.max() > 0 for t in seen.values())


def test_a_point_within_a_layer_is_seen_as_it_was_before_what_follows(stirred):
    model, x = stirred(build()), torch.rand(2, 3, 32, 32)
    _, seen = model.observe(x, ("block1.conv1", "block1.norm1", "block1.act1", "fc1.norm", "fc1"))
    first = model.block1.conv1(x)
    assert seen["block1.conv1"].equal(first.flatten(1))
    assert seen["block1.norm1"].equal(model.block1.norm1(first).flatten(1))
    assert seen["block1.norm1"].min() < 0 and seen["fc1.norm"].min() < 0
    assert seen["block1.act1"].equal(seen["block1.norm1"].relu())
    assert seen["fc1"].equal(seen["fc1.norm"].relu())


def test_a_channel_of_the_last_block_that_is_0_adds_nothing_to_what_follows(stirred):
    model, x = stirred(build()), torch.rand(3, 3, 64, 64)
    mask = torch.ones(32, 1, 1)
    mask[[4, 17]] = 0
    handle = model.block5.register_forward_hook(lambda _layer, _x, t: t * mask)
    masked = model(x)
    handle.remove()
    assert not torch.allclose(masked, model(x))
    model.fc1.linear.weight.data[:, [4, 17]] = 0
    torch.testing.assert_close(masked, model(x))


def test_its_convolutions_begin_normal_by_fan_out_and_unbiased():
    model = build(width=16)
    for layer in (model.block2.conv2, model.block5.conv3):
        expected = (2 / (9 * layer.out_channels)) ** 0.5
        assert layer.weight.std().item() == pytest.approx(expected, rel=0.05)
        assert not layer.bias.any()


def test_an_untrained_one_already_tells_images_apart():
    logits = build(width=16, hidden=64).eval()(torch.rand(8, 3, 32, 32))
    assert logits.std(0).mean() > 1e-5


def test_a_narrow_one_learns_a_few_images_by_heart():
    model, x, y = build(width=8, hidden=32), torch.rand(10, 3, 32, 32), torch.arange(10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for _ in range(25):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    assert model(x).argmax(1).equal(y)


@pytest.mark.parametrize("settings", [{"width": 0}, {"hidden": 0}, {"width": 0.125}])
def test_a_width_is_a_whole_number_above_0(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        vgg16.Config(**settings)


def test_an_unknown_layer_is_refused_with_the_choices():
    choices = (
        "input, block1, block2, block3, block4, block5, mask, average, flatten, fc1, fc2, fc3, soft"
    )
    with pytest.raises(ValueError, match=f"no layer 'block6'; choose from {choices}"):
        build(probes=["block6"])
