"""Whatever a network does to its images or to torch, its callers see none of it."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustinfo.attacks._fused_batchnorm import fold_batchnorm
from robustinfo.core.errors import UserError
from robustinfo.diagnostics._linear_probe import last_linear
from robustinfo.evaluation.sources._check import check_classifier
from robustinfo.evaluation.sources._guarded import Guarded, guarded
from robustinfo.evaluation.sources._request import ModelRequest

SHAPE, CLASSES = (1, 4, 4), 3


class Does(nn.Module):
    """Something with a linear layer and the images."""

    def __init__(self, forward):
        super().__init__()
        torch.manual_seed(0)
        self.linear, self.does = nn.Linear(16, CLASSES), forward

    def forward(self, x):
        return self.does(self.linear, x)


def linear(layer, x):
    return layer(x.flatten(1))


def asked_of(network):
    return check_classifier(network, "net", ModelRequest(SHAPE, CLASSES, torch.device("cpu")))


def images(n=5):
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(1))


IN_PLACE = {
    "normalised": lambda layer, x: linear(layer, x.sub_(0.5).div_(0.25)),
    "brightened": lambda layer, x: linear(layer, x.mul_(2).clamp_(0, 1)),
    "overwritten later": lambda layer, x: (linear(layer, x), x.zero_())[0],
    "through numpy": lambda layer, x: (x.detach().numpy().fill(0.5), linear(layer, x))[1],
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_images_that_are_written_to_stay_what_they_were(name):
    network, x = asked_of(Does(IN_PLACE[name])), images()
    before, first = x.clone(), network(x)
    assert network(x).equal(first) and network(x[:3]).allclose(first[:3]) and x.equal(before)


def test_a_gradient_goes_through_what_is_written_in_place():
    network, x = asked_of(Does(IN_PLACE["normalised"])), images().requires_grad_()
    (slope,) = torch.autograd.grad(network(x).sum(), x)
    torch.testing.assert_close(slope.flatten(1)[0], 4 * network.network.linear.weight.sum(0))


def test_answers_that_the_next_call_overwrites_stay_what_they_were():
    out = torch.zeros(33, CLASSES)

    def reused(layer, x):
        return out[: len(x)].copy_(linear(layer, x))

    network = asked_of(Does(reused))
    with torch.no_grad():
        first = network(images())
        kept = first.clone()
        network(1 - images())
    assert first.equal(kept)


SQUEEZES = {
    "at the end": lambda layer, x: linear(layer, x)[:, :, None, None].squeeze(),
    "before the last layer": lambda layer, x: layer(x.flatten(1)[:, :, None].squeeze()),
    "at the start": lambda layer, x: layer(x.squeeze().flatten(1)),
    "with a batch norm that wants two": lambda layer, x: F.batch_norm(
        linear(layer, x), None, None, training=True
    ),
}


@pytest.mark.parametrize("name", SQUEEZES)
def test_a_batch_of_one_image_is_answered_as_any_other(name):
    network = asked_of(Does(SQUEEZES[name]))
    assert network(images(1)).shape == (1, CLASSES)
    if "norm" not in name:
        torch.testing.assert_close(network(images(1)), network(images())[:1])


@pytest.mark.parametrize("count", [1, 2, 33])
def test_what_it_gives_for_every_probe_counts(count):
    def odd(layer, x):
        return linear(layer, x)[:, : CLASSES - (len(x) == count)]

    with pytest.raises(UserError, match=rf"\({count}, 2\) for {count} image.*not \({count}, 3\)"):
        asked_of(Does(odd))


def test_a_network_for_batches_of_one_size_is_told_to_take_any():
    fixed = torch.export.export(Does(linear).eval(), (torch.rand(4, *SHAPE),)).module()
    with pytest.raises(UserError, match=r"cannot read 33 images.*any number of images"):
        asked_of(fixed)


def test_what_a_network_raises_before_its_first_answer_is_told():
    class Modeless(Does):
        def train(self, mode=True):
            raise RuntimeError("no modes here")

    with pytest.raises(
        UserError, match=r"eval mode \(RuntimeError: no modes here \(.*test_guarded"
    ):
        asked_of(Modeless(linear))


def test_another_shape_in_the_middle_is_the_networks_mistake():
    network = asked_of(Does(lambda layer, x: linear(layer, x)[: 40 if len(x) > 40 else None]))
    with pytest.raises(TypeError, match=r"gives \(40, 3\) for 50 images"):
        network(images(50))


def exported():
    from torch.export import Dim, export

    some = (torch.rand(4, *SHAPE),)
    return export(Does(linear).eval(), some, dynamic_shapes=({0: Dim("n")},)).module()


FORMS = {
    "script": lambda: torch.jit.script(nn.Sequential(nn.Flatten(), Does(linear).linear)),
    "trace": lambda: torch.jit.trace(Does(linear), torch.rand(1, *SHAPE)),
    "freeze": lambda: torch.jit.freeze(FORMS["script"]().eval()),
    "export": exported,
}


@pytest.mark.parametrize("form", FORMS)
def test_networks_without_their_code_answer_as_those_with_it(form):
    network = asked_of(FORMS[form]())
    torch.testing.assert_close(network(images()), Does(linear)(images()))
    assert network.train().eval() is network and network.notes == []


def test_layers_behind_one_that_refuses_to_change_its_mode_change_theirs():
    network = asked_of(nn.Sequential(exported(), nn.Dropout(0.9)))
    assert network(images()).equal(network.network[0](images()))


def test_a_guard_is_put_on_once_and_hides_nothing_of_the_network():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(32, 3))
    guard = guarded(network).eval()
    assert guarded(guard) is guard and isinstance(guard, Guarded)
    assert [*guard.parameters()] == [*network.parameters()]
    assert last_linear(guard, images()) == "network.3"
    twin = copy.deepcopy(guard)
    assert twin(images()).equal(guard(images()))
    one = fold_batchnorm(guard.requires_grad_(False), images())
    assert isinstance(one.network[1], nn.Identity)
    torch.testing.assert_close(one(images()), network(images()))
