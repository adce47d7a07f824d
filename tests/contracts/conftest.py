"""One small trained network for all contracts on images, and one for those on texts."""

from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustinfo.core import registry
from robustinfo.models._network import Network
from tests.promises.attacks import Case


def trained(model, x, y, steps, rate):
    """In eval mode, after so many steps on all of it."""
    optimizer = torch.optim.Adam(model.train().parameters(), rate)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    optimizer.zero_grad()
    return model.eval()


def mixed(model, x, y):
    """A case of twelve inputs: six that are nearly wrong, two that are surely right, four wrong."""
    with torch.no_grad():
        logits = model(x)
    lead = logits.softmax(1).topk(2).values.diff(dim=1).squeeze(1).neg()
    right = logits.argmax(1) == y
    sure = torch.where(right, lead, torch.nan)
    order = sure.argsort()  # nan comes last
    chosen = torch.cat([order[:6], order[right.sum() - 2 : right.sum()], (~right).nonzero()[:4, 0]])
    case = Case(model, x[chosen].clone(), y[chosen].clone())
    assert (model(case.x).argmax(1) == case.y).tolist() == [True] * 8 + [False] * 4
    return case


@pytest.fixture(scope="session")
def images():
    """Digits, of which a small network gets most right."""
    raw = registry.get("datasets", {"method": "digits", "size": 16})("test", root=None)
    x, y = torch.from_numpy(raw.images).float() / 255, torch.from_numpy(raw.labels)
    torch.manual_seed(0)
    layers = OrderedDict(
        conv=nn.Conv2d(1, 4, 4, stride=4),  # (n, 4, 4, 4)
        norm=nn.BatchNorm2d(4),
        act=nn.ReLU(),
        flatten=nn.Flatten(),
        drop=nn.Dropout(0.5),
        fc=nn.Linear(64, 10),
    )
    model = Network(layers, probes=["conv", "fc"], activations=["act", "softmax"])
    return mixed(trained(model, x, y, 40, 0.02), x, y)


@pytest.fixture(scope="session")
def texts():
    """Tiny texts, of which a small network gets most right."""
    raw = registry.get("datasets", {"method": "tiny_texts"})("test", root=None)
    x, y = torch.from_numpy(raw.words).long(), torch.from_numpy(raw.labels)
    torch.manual_seed(0)
    shape = (x.shape[1], len(raw.vocabulary))
    model = registry.get("models", {"method": "text_classifier"})(shape, 2)
    return mixed(trained(model, x, y, 4, 0.002), x, y)
