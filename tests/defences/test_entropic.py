import logging
from collections import OrderedDict
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustinfo.defences import entropic
from robustinfo.maths.activation_entropy import activation_entropy
from robustinfo.models import lenet5
from robustinfo.models._network import Network

LOSS = {"method": "cross_entropy"}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return lenet5.build((1, 28, 28), 10, config=lenet5.Config())


@pytest.fixture
def data(generator):
    return torch.rand(20, 1, 28, 28, generator=generator), torch.arange(20) % 10


def slow_flow(model, x):
    """E_T as printed: the mean of all successive differences of E, of the mean over the images."""
    _, seen = model.observe(x, model.activations)
    e = [activation_entropy(h).mean() for h in seen.values()]
    return sum(a - b for a, b in pairwise(e)) / (len(e) - 1)


def loss_terms(model, data, flow, generator=None, **settings):
    config = entropic.Config(loss=LOSS, **settings)
    state = {"pretrained_flow": torch.as_tensor(flow)}
    return entropic.loss_terms(model, *data, config=config, generator=generator, state=state)


def prepare(model, x, size, factor=2.0):
    def batches():
        return ((part, None) for part in x.split(size))

    config = entropic.Config(loss=LOSS, weight=1.0, factor=factor)
    return entropic.prepare(model, batches, config=config)[1]["pretrained_flow"]


def test_nothing_is_paid_where_the_flow_is_already_what_is_asked_for(model, data):
    flow = slow_flow(model, data[0]).detach()
    found = loss_terms(model, data, flow / 1.5, weight=3.0, factor=1.5)
    assert found["entropic"] < 1e-9
    assert found["clean"].equal(F.cross_entropy(model(data[0]), data[1]))


def test_the_penalty_is_the_squared_gap_computed_over_all_layers(model, data):
    expected = 0.7 * (slow_flow(model, data[0]) - 2.5 * 3.0) ** 2
    found = loss_terms(model, data, 3.0, weight=0.7, factor=2.5)["entropic"]
    torch.testing.assert_close(found, expected)
    assert found > 1


def test_its_gradient_is_that_of_the_slow_twin(model, data):
    weight = model.conv1.weight
    (expected,) = torch.autograd.grad(0.7 * (slow_flow(model, data[0]) - 7.5) ** 2, weight)
    loss = loss_terms(model, data, 3.0, weight=0.7, factor=2.5)["entropic"]
    torch.testing.assert_close(torch.autograd.grad(loss, weight)[0], expected)


@pytest.mark.parametrize("size", [1, 7, 20])
def test_the_pretrained_flow_is_the_mean_over_the_set_however_it_is_batched(model, data, size):
    torch.testing.assert_close(prepare(model, data[0], size), slow_flow(model, data[0]).detach())


def test_the_order_in_which_activations_are_named_does_not_turn_the_sign(data):
    torch.manual_seed(0)
    config = lenet5.Config(activations=("softmax", "act3", "pool1"))
    model = lenet5.build((1, 28, 28), 10, config=config)
    flow = prepare(model, data[0], 20)
    assert flow.abs() > 1
    assert loss_terms(model, data, flow, weight=1.0, factor=1.0)["entropic"] < 1e-6


def test_a_model_in_training_mode_is_prepared_in_eval_mode_and_left_as_it_was(data):
    layers = OrderedDict(
        norm=nn.BatchNorm2d(1), drop=nn.Dropout(0.5), flatten=nn.Flatten(), relu=nn.ReLU(),
        last=nn.Linear(784, 10),
    )  # fmt: skip
    model = Network(layers, (), ("relu", "softmax"))
    expected = prepare(model.eval(), data[0], 20)
    assert prepare(model.train(), data[0], 7).item() == pytest.approx(expected.item(), rel=1e-6)
    assert all(module.training for module in model.modules())
    assert model.norm.num_batches_tracked == 0 and not model.norm.running_mean.any()


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


@pytest.mark.parametrize("factor, scale, warns", [(2, 9, True), (0.5, 9, False), (2, 0.1, False)])
def test_a_negative_flow_that_would_be_pushed_down_is_warned_of(factor, scale, warns, data, caplog):
    layers = OrderedDict(big=Times(scale), flatten=nn.Flatten(), last=nn.Linear(784, 10))
    model = Network(layers, (), ("big", "softmax"))
    with caplog.at_level(logging.WARNING):
        flow = prepare(model, data[0], 20, factor=float(factor))
    assert (flow < 0) == (scale > 1)
    assert [record.args[0].item() for record in caplog.records] == (
        [pytest.approx(flow.item())] if warns else []
    )


def test_a_layer_that_yields_negatives_is_refused_by_name(data):
    model = lenet5.build(
        (1, 28, 28), 10, config=lenet5.Config(activations=("pool1", "conv2", "softmax"))
    )
    with pytest.raises(ValueError, match=r"layer 'conv2' yields -\d"):
        prepare(model, data[0], 20)


def test_a_single_activation_is_refused(data):
    model = lenet5.build((1, 28, 28), 10, config=lenet5.Config(activations=("softmax",)))
    with pytest.raises(ValueError, match="at least two `activations`"):
        prepare(model, data[0], 20)


def test_the_gradient_stays_finite_where_every_relu_is_dead(model, data):
    model.conv1.bias.data.fill_(-100)
    assert not model.observe(data[0], ("pool1",))[1]["pool1"].any()
    sum(loss_terms(model, data, 3.0, weight=1.0, factor=2.0).values()).backward()
    assert all(weight.grad.isfinite().all() for weight in model.parameters())


def test_an_adaptive_attackers_term_is_that_of_every_image_by_itself(model, data):
    x, y = data
    config = entropic.Config(loss=LOSS, weight=0.7, factor=2.5)
    state = {"pretrained_flow": torch.tensor(3.0)}
    logits, term = entropic.attack_term(model, x, y, config=config, state=state)
    one_by_one = (
        loss_terms(model, (a[None], b[None]), 3.0, weight=0.7, factor=2.5)["entropic"]
        for a, b in zip(x, y, strict=True)
    )
    torch.testing.assert_close(term, sum(one_by_one))
    torch.testing.assert_close(logits, model(x))
