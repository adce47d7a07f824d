import math

import pytest
import torch
from torch import nn

from pipeline.run import code
from pipeline.study import entries
from pipeline.study.slices import NESTED_ENTRIES
from pipeline.study.strict_yaml import StudyError
from robustinfo.core.errors import UserError
from robustinfo.models import bottleneck, lenet5

LENET = {"method": "lenet5"}


def build(network=None, seed=0, shape=(1, 28, 28), **settings):
    torch.manual_seed(seed)
    config = bottleneck.Config(network=network or LENET, **settings)
    return bottleneck.build(shape, 10, config=config)


@pytest.fixture
def model():
    return build(size=6, samples=4)


@pytest.fixture
def x(generator):
    return torch.rand(5, 1, 28, 28, generator=generator)


def code_of(model, x):
    return model.observe(x, ("code",))[1]["code"]


def test_at_test_time_it_is_the_mean_probability_of_its_draws_one_by_one(model, x):
    model.eval()
    mean, deviation = bottleneck.gaussian(code_of(model, x))
    total = 0
    for noise in model.sample.noise.double():
        z = mean.double() + deviation.double() * noise
        logits = z @ model.decode.weight.double().T + model.decode.bias.double()
        total = total + logits.softmax(1)
    torch.testing.assert_close(model(x).double().exp(), total / 4, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(model(x).exp().sum(1), torch.ones(5))


def test_its_many_draws_come_near_to_the_integral(x):
    """The spread of the mean over 12 draws is 1/sqrt(12) of that of one; here deviations are 1."""
    model = build(size=1, samples=20_000).eval()
    nn.init.zeros_(model.code.weight)
    model.code.bias.data = torch.tensor([0.3, 5 + math.log(math.e - 1)])  # mean, softplus^-1(1) + 5
    nn.init.zeros_(model.decode.bias)
    nn.init.zeros_(model.decode.weight)
    model.decode.weight.data[0] = 1.0
    z = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    density = (-(z**2) / 2).exp() / math.sqrt(2 * math.pi)
    p = (z + 0.3).exp() / ((z + 0.3).exp() + 9)
    expected = torch.trapezoid(p * density, z).item()
    assert model(x)[0, 0].exp().item() == pytest.approx(expected, rel=0.02)


def test_in_eval_it_is_a_function_and_draws_nothing(model, x):
    model.eval()
    state = torch.get_rng_state()
    assert model(x).equal(model(x)) and torch.get_rng_state().equal(state)
    torch.testing.assert_close(model(x[2:4]), model(x)[2:4])


def test_in_training_every_image_gets_one_new_draw_from_torchs_generator(model, x):
    model.train()
    same = x[:1].expand(4, -1, -1, -1)
    torch.manual_seed(3)
    first, second = model(same), model(same)
    assert not torch.isclose(first, second).all(1).any()
    assert len({tuple(row.tolist()) for row in first}) == 4
    torch.manual_seed(3)
    assert model(same).equal(first)


def test_its_training_draws_are_those_of_the_gaussian_it_says(x):
    model = build(size=3).train()
    one = x[:1].expand(4000, -1, -1, -1)
    torch.manual_seed(0)
    with torch.no_grad():
        _, seen = model.observe(one, ("code", "sample"))
        mean, deviation = bottleneck.gaussian(seen["code"])
    assert deviation.std(0).max() < 1e-6
    z = (seen["sample"] - mean) / deviation
    assert z.shape == (4000, 3)
    assert z.mean(0).abs().max() < 0.06 and (z.std(0) - 1).abs().max() < 0.05
    assert torch.corrcoef(z.T).triu(1).abs().max() < 0.06


def test_the_deviation_is_softplus_of_what_lies_above_5_and_never_0():
    code = torch.tensor([[1.0, 2.0, 5.0, -1e4]])
    mean, deviation = bottleneck.gaussian(code)
    assert mean.tolist() == [[1.0, 2.0]]
    assert deviation[0, 0].item() == pytest.approx(math.log(2))
    assert deviation[0, 1] > 0 and deviation.log().isfinite().all()


def test_the_network_is_as_it_was_but_for_its_last_layer(x):
    torch.manual_seed(0)
    plain = lenet5.build((1, 28, 28), 10, config=lenet5.Config())
    model = build(seed=0)
    names = [name for name, _ in plain.named_children()]
    assert [name for name, _ in model.named_children()] == [
        *names[:-1], "code", "sample", "decode", "mixture",
    ]  # fmt: skip
    _, expected = plain.observe(x, ("act4",))
    assert model.observe(x, ("act4",))[1]["act4"].equal(expected["act4"])
    assert model.code.out_features == 512 and model.sample.noise.shape == (12, 256)


def test_its_points_are_the_networks_with_the_code_for_the_last_layer(x):
    model = build()
    assert model.probes == ("conv1", "conv2", "fc1", "fc2", "code")
    assert model.activations == ("pool1", "pool2", "act3", "act4", "softmax")
    _, seen = model.eval().observe(x, (*model.probes, "sample", "decode", *model.activations))
    assert seen["code"].shape == (5, 512) and seen["sample"].shape == (5, 12 * 256)
    assert seen["softmax"].equal(model(x).softmax(1)) and all(len(t) == 5 for t in seen.values())
    assert build(probes=["code", "conv1"]).probes == ("conv1", "code")


def test_its_noise_is_kept_with_its_weights(model, x):
    other = build(seed=1, size=6, samples=4).eval()
    assert not other(x).equal(model.eval()(x))
    other.load_state_dict(model.state_dict())
    assert other(x).equal(model(x))


@pytest.mark.parametrize(
    "network",
    [
        {"method": "wide_resnet", "depth": 10, "width": 1},
        {"method": "densenet", "blocks": [2, 2], "growth": 4},
        {"method": "keras_cnn", "blocks": [[4]], "dense": [8]},
    ],
)
def test_it_takes_any_network_that_ends_in_a_linear_layer(network, x):
    model = build(network, size=4).eval()
    assert model(x).shape == (5, 10) and "code" in model.probes
    model(x)[:, 0].sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_another_last_layer_is_refused_by_name():
    with pytest.raises(UserError, match=r"of all_cnn, 'flatten', is Flatten, .* choose another"):
        build({"method": "all_cnn"})


def test_a_study_checks_the_network_within_and_knows_its_file():
    def fail(key, problem):
        return StudyError(f"{'.'.join(key)}: {problem}")

    entry = {"method": "bottleneck", "network": LENET}
    entries._check_entry("models", "", entry, ("models", "vib"), None, fail)
    with pytest.raises(StudyError, match=r"models.vib.network.method: no method 'lenet'"):
        bad = entry | {"network": {"method": "lenet"}}
        entries._check_entry("models", "", bad, ("models", "vib"), None, fail)
    assert NESTED_ENTRIES["network"] == "models"
    assert ("models", "lenet5") in set(code._methods("models", entry))
