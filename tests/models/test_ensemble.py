import math
from itertools import combinations

import pytest
import torch

from robustinfo.attacks import pgd
from robustinfo.core import registry
from robustinfo.core.errors import UserError
from robustinfo.models import ensemble, lenet5

LENET = {"method": "lenet5"}
SHAPE = (1, 28, 28)


def build(network=None, seed=0, **settings):
    torch.manual_seed(seed)
    config = ensemble.Config(network=network or LENET, **settings)
    return ensemble.build(SHAPE, 10, config=config)


def alone(entry, members, seed=0):
    """The same networks, built one after another."""
    torch.manual_seed(seed)
    return [registry.get("models", entry)(SHAPE, 10).eval() for _ in range(members)]


@pytest.fixture
def x(generator):
    return torch.rand(5, *SHAPE, generator=generator)


def test_it_predicts_with_the_mean_of_its_members_probabilities(x):
    model = build(members=4).eval()
    mean = sum(one(x).double().softmax(1) for one in alone(LENET, 4)) / 4
    torch.testing.assert_close(model(x).double().exp(), mean, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(model(x).exp().sum(1), torch.ones(5))


def test_it_has_three_members_as_many_times_the_weights_and_one_alone_is_its_network(count, x):
    assert len(build().members) == 3 and count(build()) == 3 * 61_706
    (network,) = alone(LENET, 1)
    torch.testing.assert_close(build(members=1).eval()(x), network(x).log_softmax(1))


def test_every_member_begins_with_weights_of_its_own():
    for one, other in combinations(build().members, 2):
        for a, b in zip(one.parameters(), other.parameters(), strict=True):
            assert a.ne(b).double().mean() > 0.99
    assert build(seed=1).members[0].fc1.weight.ne(build().members[0].fc1.weight).all()


def test_where_every_member_is_sure_the_logarithm_and_its_gradient_are_finite(x):
    """float32 has no probability below e^-104; here the logits are thousands apart."""
    model = build().eval()
    for member in model.members:
        member.fc3.weight.data *= 1e5
    x.requires_grad_()
    prediction = model(x)
    assert prediction.isfinite().all() and prediction.min() < -1000
    (gradient,) = torch.autograd.grad(prediction[:, 0].sum(), x)
    assert gradient.isfinite().all() and gradient.any()


def test_the_most_likely_class_is_that_of_the_mean_and_not_of_the_logits_sum(x):
    """One member is very sure of class 0, two are somewhat sure of class 1."""
    model = build().eval()
    for member, (first, second) in zip(model.members, [(50, 0), (0, 5), (0, 5)], strict=True):
        torch.nn.init.zeros_(member.fc3.weight)
        member.fc3.bias.data.copy_(torch.tensor([first, second] + 8 * [-20.0]))
    p = 1 / (1 + math.exp(-5))
    expected = torch.tensor([1 / 3 + 2 / 3 * (1 - p), 2 / 3 * p]).expand(5, 2)
    torch.testing.assert_close(model(x)[:, :2].exp(), expected)
    assert ensemble.member_logits(model, x)[1].sum(1).argmax(1).eq(0).all()


def test_it_gives_its_own_prediction_and_all_members_logits_in_one_pass(x):
    model = build().eval()
    passes = []
    for member in model.members:
        member.register_forward_hook(lambda *_: passes.append(1))
    prediction, logits = ensemble.member_logits(model, x)
    assert len(passes) == 3
    assert logits.equal(torch.stack([one(x) for one in alone(LENET, 3)], 1))
    assert prediction.equal(model(x))
    torch.testing.assert_close(prediction.exp(), logits.softmax(2).mean(1))


def test_in_bfloat16_the_mean_and_its_logarithm_are_as_exact_as_in_float32(x):
    model = build().eval()
    with torch.autocast("cpu", torch.bfloat16):
        prediction, logits = ensemble.member_logits(model, x)
        assert model.members[0](x).dtype == torch.bfloat16
    assert prediction.dtype == logits.dtype == torch.float32
    torch.testing.assert_close(prediction.exp(), logits.softmax(2).mean(1))


def test_its_points_are_those_of_every_member_by_name_and_its_own_ends(x):
    model = build(network=LENET | {"activations": ["input", "act4", "softmax"]}, members=2).eval()
    layers = ("conv1", "conv2", "fc1", "fc2", "fc3")
    assert model.probes == tuple(f"members.{k}.{name}" for k in (0, 1) for name in layers)
    assert model.activations == ("input", "members.0.act4", "members.1.act4", "softmax")
    _, seen = model.observe(x, (*model.probes, *model.activations))
    assert list(seen)[:2] == ["input", "members.0.conv1"] and seen["input"].equal(x.flatten(1))
    for number, member in enumerate(model.members):
        _, expected = member.observe(x, (*layers, "act4"))
        assert all(seen[f"members.{number}.{name}"].equal(t) for name, t in expected.items())
    assert seen["softmax"].equal(model(x).softmax(1))
    named = build(probes=["members.2.fc1", "members"], activations=["members.0.act4", "softmax"])
    assert named.probes == ("members.2.fc1", "members")
    assert named.activations == ("members.0.act4", "softmax")


def test_an_unknown_layer_of_a_member_is_refused_with_the_choices():
    with pytest.raises(
        UserError, match=r"no layer 'members.3.fc1'; .* members.0.conv1, .*members.2"
    ):
        build(probes=["members.3.fc1"])


@pytest.mark.parametrize(
    "network",
    [
        {"method": "wide_resnet", "depth": 10, "width": 1},
        {"method": "densenet", "blocks": [2, 2], "growth": 4},
        {"method": "bottleneck", "network": LENET, "size": 4},
        {"method": "ensemble", "network": LENET, "members": 2},
        {"method": "all_cnn", "filters": [4, 8]},
    ],
)
def test_it_takes_any_network_and_all_its_weights_learn(network, x):
    model = build(network, members=2).train()
    assert model(x).shape == (5, 10) and len(model.probes) == 2 * len(model.members[0].probes)
    model(x)[:, 0].sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_an_attack_on_it_turns_the_mean(x, generator):
    model = build().eval()
    for member in model.members:  # several classes win, and by little
        member.fc3.weight.data *= 10
        member.fc3.bias.data -= member(x).detach().mean(0)
    y = model(x).argmax(1)
    assert len(y.unique()) > 1
    config = pgd.Config(epsilon=0.1, step_size=0.02, steps=10)
    x_adv, success = pgd.perturb(model, x, y, config=config, generator=generator)
    mean = sum(member(x_adv).softmax(1) for member in model.members)
    assert success.any() and (mean.argmax(1) != y).equal(success)


def test_what_is_no_ensemble_is_refused_with_the_model_to_write(x):
    plain = lenet5.build(SHAPE, 10, config=lenet5.Config())
    with pytest.raises(UserError, match=r"no ensemble; write \{method: ensemble, network"):
        ensemble.member_logits(plain, x)
