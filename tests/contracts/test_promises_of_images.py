"""Distortions, complexities, losses and models keep their promises, and broken ones are told."""

from collections import OrderedDict
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from robustinfo.core import registry
from robustinfo.core.settings import Settings
from robustinfo.models._network import Network
from tests.contracts.entries import CLASSES, SHAPE, TEXT_SHAPE, each, narrow
from tests.promises import Broken, Held, images, of

X = torch.rand(6, *SHAPE, generator=torch.Generator().manual_seed(0))
BYTES = torch.cat([torch.zeros(1, *SHAPE), X]).mul(255).round().to(torch.uint8)
TEXTS = ["@ " * 40, "three blind mice, 17 men " * 4]
WORDS = torch.randint(60, (6, 30), generator=torch.Generator().manual_seed(0))
LOGITS, Y = 4 * torch.rand(6, CLASSES, generator=torch.Generator().manual_seed(0)), torch.arange(6)
TOLD = {
    "distortions": lambda held: images.distortion(held, X),
    "complexities": lambda held: images.complexity(held, BYTES),
    "losses": lambda held: images.loss(held, LOGITS, Y),
    "models": lambda held: images.model(held, SHAPE, CLASSES, X),
}


@each("distortions")
def test_a_distortion_keeps_its_promises(entry, network):
    TOLD["distortions"](of("distortions", entry))


@each("complexities", ("images",))
def test_a_complexity_of_images_keeps_its_promises(entry, network):
    TOLD["complexities"](of("complexities", entry))


@each("complexities", ("texts",))
def test_a_complexity_of_texts_keeps_its_promises(entry, network):
    images.complexity(of("complexities", entry), TEXTS)


@each("models", ("images",))
def test_a_model_of_images_keeps_its_promises(entry, network):
    TOLD["models"](of("models", narrow(entry)))


@each("models", ("texts",))
def test_a_model_of_texts_keeps_its_promises(entry, network):
    images.model(of("models", entry), TEXT_SHAPE, CLASSES, WORDS)


@pytest.mark.parametrize("name", registry.names("losses"))
def test_a_loss_keeps_its_promises(name):
    """Studies have losses inside of defences alone: its numbers are a half."""
    fields = registry.module("losses", {"method": name}).Config.model_fields
    numbers = {one: 0.5 for one, field in fields.items() if field.is_required()}
    TOLD["losses"](of("losses", {"method": name} | numbers))


def grown(x, *, config, generator):
    return (x + torch.rand(x.shape)).clamp(0, 1)


def built(spoil):
    """A sound architecture, but for a layer more."""

    def build(image_shape, num_classes, *, config):
        c, h, w = image_shape
        layers = OrderedDict(flatten=nn.Flatten(), fc=nn.Linear(c * h * w, num_classes))
        return Network(layers | {"more": spoil}, ["fc"], ["softmax", *spoil.points])

    return build


class More(nn.Module):
    def __init__(self, change, *points):
        super().__init__()
        self.change, self.points = change, points

    def forward(self, x):
        return self.change(x)


def least(images, *, config):
    return images.flatten(1).double().mean(1)


TWINS = [
    ("distortions", "distort", lambda x, *, config, generator: x + 1, "lie in [0, 1]"),
    ("distortions", "distort", lambda x, *, config, generator: x.double(), "like x in shape"),
    ("distortions", "distort", lambda x, *, config, generator: x.mul_(0.9), "inputs are left"),
    ("distortions", "distort", grown, "torch's global random numbers are left alone"),
    ("complexities", "measure", lambda images, *, config: -least(images, config=config), "a blank"),
    ("complexities", "measure", lambda images, *, config: images.flatten(1).sum(1), "float64"),
    (
        "complexities", "measure",
        lambda images, *, config: least(images, config=config) * len(images), "by itself",
    ),
    ("losses", "loss", lambda logits, y, *, config: logits.mean(1), "a finite scalar"),
    ("losses", "loss", lambda logits, y, *, config: logits.square().sum(), "the mean over"),
    ("losses", "loss", lambda logits, y, *, config: 0 * logits.sum(), "has a slope"),
    ("models", "build", built(More(lambda x: x[:, :3])), "logits are (n, K)"),
    ("models", "build", built(More(lambda x: x - x.mean(0))), "no logits depend on other"),
    ("models", "build", built(More(lambda x: x - 5, "more")), "activations are not negative"),
]  # fmt: skip


class Config(Settings):
    pass


@pytest.mark.parametrize(("kind", "verb", "twin", "promise"), TWINS)
def test_who_breaks_a_promise_is_told_which(kind, verb, twin, promise):
    held = Held(kind, "twin", SimpleNamespace(Config=Config, **{verb: twin}), Config())
    with pytest.raises(Broken) as raised:
        TOLD[kind](held)
    assert promise in str(raised.value)
