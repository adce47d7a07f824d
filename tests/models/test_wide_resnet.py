import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustinfo.core.errors import UserError
from robustinfo.models import densenet, wide_resnet

PROBES = ("conv1", "group1.block1.act1", "group2.block1.act1", "group3.block1.act1", "fc")
LEAKY = {"activation": "leaky_relu", "negative_slope": 0.1}


def build(depth=10, width=1, shape=(3, 32, 32), classes=10, **settings):
    torch.manual_seed(0)
    config = wide_resnet.Config(depth=depth, width=width, **settings)
    return wide_resnet.build(shape, classes, config=config)


def counted_by_hand(depth, width, channels, classes):
    """Convolutions without biases, two numbers per channel of a BatchNorm, the classifier."""
    n, inside = (depth - 4) // 6, 16
    total = 9 * channels * inside
    for out in (16 * width, 32 * width, 64 * width):
        total += 2 * inside + 9 * inside * out + 2 * out + 9 * out * out
        total += inside * out if inside != out else 0
        total += (n - 1) * (2 * 2 * out + 2 * 9 * out * out)
        inside = out
    return total + 2 * inside + inside * classes + classes


def slow_twin(model, x, depth, slope=0.0, pool=None):
    """The network again, from its tensors alone: logits and the inputs of the groups."""
    w = model.state_dict()

    def active(t, norm):
        mean, variance = w[f"{norm}.running_mean"], w[f"{norm}.running_var"]
        t = (t - mean[:, None, None]) / (variance + 1e-5).sqrt()[:, None, None]
        t = w[f"{norm}.weight"][:, None, None] * t + w[f"{norm}.bias"][:, None, None]
        return torch.where(t > 0, t, slope * t)

    t, entries = F.conv2d(x, w["conv1.weight"], padding=1), []
    for group in (1, 2, 3):
        for number in range(1, (depth - 4) // 6 + 1):
            name = f"group{group}.block{number}"
            stride = 2 if group > 1 and number == 1 else 1
            first = active(t, f"{name}.norm1")
            entries += [first] if number == 1 else []
            if f"{name}.shortcut.weight" in w:
                t = F.conv2d(first, w[f"{name}.shortcut.weight"], stride=stride)
            inner = F.conv2d(first, w[f"{name}.conv1.weight"], stride=stride, padding=1)
            inner = active(inner, f"{name}.norm2")
            t = t + F.conv2d(inner, w[f"{name}.conv2.weight"], padding=1)
    t = active(t, "norm")
    if pool:  # (n, c, h / pool, pool, w / pool, pool): a mean per square
        t = t.unflatten(3, (-1, pool)).unflatten(2, (-1, pool)).mean((3, 5)).flatten(1)
    else:
        t = t.mean((2, 3))
    return t @ w["fc.weight"].T + w["fc.bias"], entries


@pytest.mark.parametrize(
    "depth, width, weights",
    [(28, 10, 36_479_194), (34, 10, 46_160_474), (40, 4, 8_949_210), (16, 4, 2_748_890)],
)
def test_it_has_the_published_number_of_weights(count, depth, width, weights):
    """36.5, 46.2, 8.9 and 2.7 million."""
    with torch.device("meta"):
        assert count(build(depth, width)) == weights == counted_by_hand(depth, width, 3, 10)


@pytest.mark.parametrize("shape, classes", [((1, 28, 28), 7), ((3, 64, 64), 200)])
def test_its_weights_are_those_of_the_formula_whatever_images_and_classes(count, shape, classes):
    for depth, width in ((10, 1), (10, 2), (22, 1)):
        model = build(depth, width, shape, classes)
        assert count(model) == counted_by_hand(depth, width, shape[0], classes)


@pytest.mark.parametrize("settings", [{}, LEAKY])
@pytest.mark.parametrize("depth, width", [(10, 1), (16, 2)])
def test_it_is_what_its_slow_twin_computes_from_the_same_tensors(stirred, depth, width, settings):
    model, x = stirred(build(depth, width, **settings)), torch.rand(3, 3, 20, 24)
    logits, seen = model.observe(x, PROBES)
    expected, entries = slow_twin(model, x, depth, settings.get("negative_slope", 0.0))
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)
    for probe, entry in zip(PROBES[1:4], entries, strict=True):
        torch.testing.assert_close(seen[probe], entry.flatten(1), rtol=1e-4, atol=1e-4)


def test_squares_of_8_leave_576_values_of_an_image_of_stl10_and_are_those_of_the_twin(
    stirred, count
):
    """3 x 3 squares of each of the 64 last maps, which are 24 x 24."""
    model = stirred(build(shape=(3, 96, 96), pool=8, **LEAKY))
    assert model.fc.in_features == 576
    assert count(model) == counted_by_hand(10, 1, 3, 10) + (576 - 64) * 10
    x = torch.rand(2, 3, 96, 96)
    logits, seen = model.observe(x, ("average", "fc"))
    assert seen["average"].shape == (2, 576)
    expected, _ = slow_twin(model, x, 10, 0.1, pool=8)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


def test_on_images_of_32_pixels_squares_of_8_are_the_whole_maps(stirred):
    whole, squares = stirred(build(**LEAKY)), build(pool=8, **LEAKY).eval()
    squares.load_state_dict(whole.state_dict())
    x = torch.rand(4, 3, 32, 32)
    torch.testing.assert_close(squares(x), whole(x))


@pytest.mark.parametrize("shape, values", [((3, 36, 40), 2 * 2 * 64), ((1, 28, 28), 64)])
def test_what_fills_no_square_is_left_out(shape, values):
    """Maps of 9 x 10 and of 7 x 7, in squares of 4."""
    model = build(shape=shape, pool=4).eval()
    assert model.fc.in_features == values
    assert model(torch.rand(2, *shape)).shape == (2, 10)


def test_squares_larger_than_the_last_maps_are_refused():
    with pytest.raises(
        UserError, match="the last maps are 7 x 7: `pool` is 8, and may be no larger"
    ):
        build(shape=(1, 28, 28), pool=8)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 96, 96), (1, 9, 5)])
def test_it_takes_images_of_any_size_and_halves_them_twice(shape):
    _, h, w = shape
    model, x = build(shape=shape, classes=7).eval(), torch.rand(2, *shape)
    logits, seen = model.observe(x, (*PROBES, "act"))
    assert logits.shape == (2, 7) and logits.equal(model(x))
    half, quarter = (-(-h // 2), -(-w // 2)), (-(-h // 4), -(-w // 4))
    widths = [16 * h * w, 16 * h * w, 16 * h * w, 32 * half[0] * half[1]]
    widths += [64 * quarter[0] * quarter[1], 7]
    assert [t.shape for t in seen.values()] == [(2, d) for d in widths]
    assert list(seen) == [*PROBES[:4], "act", "fc"]


def test_blocks_that_add_nothing_leave_the_shortcuts_alone(stirred):
    """WRN-10-1's first group then is the identity, the others a strided 1 x 1 convolution each."""
    model, x = stirred(build(16)), torch.rand(2, 3, 32, 32)
    for name, weight in model.named_parameters():
        if name.endswith("conv2.weight"):
            nn.init.zeros_(weight)
    t = model.conv1(x)
    assert model.group1(t).equal(t)
    first = model.group2.block1
    alone = F.conv2d(first.act1(first.norm1(t)), first.shortcut.weight, stride=2)
    torch.testing.assert_close(model.group2(t), alone)


def test_the_entry_of_each_group_sees_the_square_that_its_convolutions_span():
    """A 3 x 3 convolution adds 2 pixels, and 4 where only every other place is left."""
    model, x = build().double().eval(), torch.rand(1, 3, 32, 32).double().requires_grad_()
    sides = {PROBES[1]: (32, 3), PROBES[2]: (32, 3 + 2 + 2), PROBES[3]: (16, 7 + 2 + 4)}
    for probe, (places, side) in sides.items():
        _, seen = model.observe(x, (probe,))
        maps = seen[probe].unflatten(1, (-1, places, places))
        (gradient,) = torch.autograd.grad(maps[0, :, 8, 8].sum(), x)
        for at in gradient[0].abs().sum(0).nonzero().T:
            assert at.max() - at.min() + 1 == side


def test_a_leaky_relu_leaks_as_much_as_it_is_told(stirred):
    x = torch.rand(2, 3, 32, 32)
    model, steeper = (stirred(build(**LEAKY | {"negative_slope": s})) for s in (0.1, 0.3))
    assert model.state_dict().keys() == build().state_dict().keys()
    for one, slope in ((model, 0.1), (steeper, 0.3)):
        block = one.group1.block1
        t = block.norm1(one.conv1(x))
        _, seen = one.observe(x, ("group1.block1.act1",))
        expected = torch.where(t > 0, t, slope * t).flatten(1)
        torch.testing.assert_close(seen["group1.block1.act1"], expected)
        assert {m.negative_slope for m in one.modules() if isinstance(m, nn.LeakyReLU)} == {slope}


def test_an_image_is_classified_the_same_in_any_company(stirred):
    model, x = stirred(build()), torch.rand(6, 3, 32, 32)
    together = model(x)
    for chosen in ([0], [3, 1], [5, 4, 3, 2, 1, 0]):
        torch.testing.assert_close(model(x[chosen]), together[chosen])
    assert model(x).equal(together)


def test_its_points_are_the_five_of_the_paper_and_what_groups_and_classifier_read():
    assert build(**LEAKY).probes == build().probes == PROBES
    assert build().activations == (*PROBES[1:4], "act", "softmax")
    assert build(**LEAKY).activations == ("softmax",)
    _, seen = build().eval().observe(torch.rand(2, 3, 32, 32), build().activations)
    assert all(t.min() >= 0 for t in seen.values())


def test_points_within_layers_are_kept_and_seen_in_the_order_in_which_they_end():
    points = ["group1", "softmax", "group1.block2.act2", "conv1", "group1.block1.norm1", "input"]
    model = build(16, probes=points)
    assert model.probes == (
        "input", "conv1", "group1.block1.norm1", "group1.block2.act2", "group1", "softmax",
    )  # fmt: skip
    _, seen = model.eval().observe(torch.rand(2, 3, 32, 32), model.probes)
    assert tuple(seen) == model.probes


def test_observing_leaves_no_hook_behind_even_if_it_fails():
    model = build().eval()
    model.observe(torch.rand(2, 3, 32, 32), PROBES)
    with pytest.raises(RuntimeError):
        model.observe(torch.rand(2, 1, 32, 32), PROBES)
    assert not any(layer._forward_hooks for layer in model.modules())


@pytest.mark.parametrize(
    "point, choices",
    [
        (
            "group4",
            "input, conv1, group1, group2, group3, norm, act, mask, average, flatten, fc, soft",
        ),
        ("group4.block1", "input, conv1, group1.block1, group1, group2.block1, group2, group3.*"),
    ],
)
def test_an_unknown_layer_is_refused_with_the_layers_of_its_depth(point, choices):
    with pytest.raises(ValueError, match=f"no layer '{point}'; choose from {choices}"):
        build(probes=[point])


def test_a_layer_within_another_models_layer_is_a_point_too():
    torch.manual_seed(0)
    config = densenet.Config(blocks=[2, 2], growth=4, probes=["denseblock1.denselayer2"])
    model = densenet.build((1, 8, 8), 3, config=config).eval()
    _, seen = model.observe(torch.rand(2, 1, 8, 8), model.probes)
    assert seen["denseblock1.denselayer2"].shape == (2, 4 * 8 * 8)


def test_the_convolutions_begin_normal_by_fan_out_and_the_classifiers_bias_at_0():
    model = build(16, 4)
    for layer in (model.group1.block2.conv1, model.group3.block1.shortcut):
        out, _, side, _ = layer.weight.shape
        expected = (2 / (out * side * side)) ** 0.5
        assert layer.weight.std().item() == pytest.approx(expected, rel=0.05)
    assert not model.fc.bias.any()


@pytest.mark.parametrize("depth", [4, 9, 12, 20, 50])
def test_another_depth_is_refused_with_those_that_exist(depth):
    with pytest.raises(ValueError, match=f"10, 16, 22, 28, 34, 40, ..., not {depth}"):
        wide_resnet.Config(depth=depth)


@pytest.mark.parametrize(
    "settings", [{"activation": "leaky_relu"}, {"activation": "relu", "negative_slope": 0.1}]
)
def test_a_slope_belongs_to_leaky_relu_and_to_nothing_else(settings):
    with pytest.raises(ValueError, match="leaky_relu needs a `negative_slope`"):
        wide_resnet.Config(**settings)
