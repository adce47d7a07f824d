"""Logits are found in whatever a network gives: dictionaries, tuples, one number."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources import in_memory

SHAPE = (1, 4, 4)


class Gives(nn.Module):
    """What ``wrapped`` makes of logits."""

    def __init__(self, wrapped, classes):
        super().__init__()
        torch.manual_seed(0)
        self.linear, self.wrapped = nn.Linear(16, classes), wrapped

    def forward(self, x):
        return self.wrapped(self.linear(x.flatten(1)))


@dataclass
class Output:
    features: torch.Tensor
    logits: torch.Tensor
    loss: None = None


Named = namedtuple("Named", ["aux", "out"])
FEATURES = torch.rand(33, 7)
CONTAINERS = {
    "dict ['logits']": lambda z: {"loss": z.mean(), "logits": z, "other": 2 * z},
    "dict ['out']": lambda z: {"aux": 2 * z, "out": z},
    "dict ['y']": lambda z: {"y": z, "features": torch.cat([z, z], 1)},
    "OrderedDict ['logits']": lambda z: OrderedDict(logits=z),
    "dict ['result']['logits']": lambda z: {"result": {"logits": z}},
    "Output ['logits']": lambda z: Output(2 * z, z),
    "Named ['out']": lambda z: Named(2 * z, z),
    "tuple [0]": lambda z: (z, 2 * z),
    "tuple [1]": lambda z: (torch.cat([z, z], 1), z, 2 * z),
    "list [0]": lambda z: [z, z.argmax(1)],
    "tuple [0][0]": lambda z: ((z, z), z),
}


def images(n=5):
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(1))


def logits(network, x):
    return network.linear(x.flatten(1))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", CONTAINERS)
def test_logits_are_found_and_that_is_said(name, classes):
    network = Gives(CONTAINERS[name], classes)
    guard = in_memory(network.eval(), shape=SHAPE, classes=classes)
    for n in (5, 1):
        assert guard(images(n)).equal(logits(network, images(n)))
    kind, place = name.split()
    assert guard.notes == [f"network gives a {kind}: its {place} is taken for the logits"]


ONE = {
    "(n, 1)": lambda z: z,
    "(n,)": lambda z: z.squeeze(1),
    "squeezed": lambda z: z.squeeze(),
    "in a dict": lambda z: {"out": z},
}


@pytest.mark.parametrize("name", ONE)
def test_one_logit_is_that_of_the_second_class(name):
    network = Gives(ONE[name], 1)
    guard = in_memory(network.eval(), shape=SHAPE, classes=2)
    for n in (5, 1):
        expected = logits(network, images(n))
        assert guard(images(n)).equal(torch.cat([0 * expected, expected], 1))
    assert guard.notes[-1].startswith("network gives one logit z, that of the second class")
    x = images().requires_grad_()
    (slope,) = torch.autograd.grad(guard(x)[:, 1].sum(), x)
    torch.testing.assert_close(slope[0].flatten(), guard.network.linear.weight[0])


def test_a_probability_is_refused_and_a_small_logit_is_not():
    with pytest.raises(UserError, match=r"one number from 0 to 1 .* return the logit"):
        in_memory(Gives(torch.sigmoid, 1), shape=SHAPE, classes=2)
    small = Gives(lambda z: 0.5 + z / 100, 1)
    assert in_memory(small, shape=SHAPE, classes=2)(images()).shape == (5, 2)


@pytest.mark.parametrize(
    "wrapped, words",
    [
        (
            lambda z: {"a": z, "b": z},
            r"several tensors may be the logits: \['a'\], \['b'\];",
        ),
        (lambda z: {"a": {"logits": z}, "b": {"logits": z}}, r"\['a'\]\['logits'\], \['b'\]"),
        (lambda z: {"a": z.argmax(1)}, r"gives dict of 'a': torch\.int64 for a batch of images"),
        (lambda z: (z[:, :2], z.mean()), r"gives tuple of 0: \(2, 2\), 1: \(\) for a batch"),
        (lambda z: None, r"gives NoneType for a batch of images"),
        (lambda z: z[:, 0], r"gives \(2,\) for 2 images, not \(2, 3\)"),
        (lambda z: {"logits": z.to_sparse()}, r"'logits': torch\.sparse_coo"),
    ],
)
def test_what_holds_no_logits_or_several_is_refused(wrapped, words):
    with pytest.raises(UserError, match=words):
        in_memory(Gives(wrapped, 3), shape=SHAPE, classes=3)
