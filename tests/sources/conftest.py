import sys

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F


class Small(nn.Module):
    """A classifier of images of 8 x 8 in one channel."""

    def __init__(self, width=8, classes=10):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, width, 3), nn.BatchNorm2d(width)
        self.linear = nn.Linear(36 * width, classes)

    def forward(self, x):
        return self.linear(F.relu(self.norm(self.conv(x))).flatten(1))


def fit(network, x, y, steps=100):
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(network.train().parameters(), 1e-2)
    for _ in range(steps):
        chosen = torch.randint(len(x), (128,))
        optimizer.zero_grad()
        F.cross_entropy(network(x[chosen]), y[chosen]).backward()
        optimizer.step()
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def digits():
    """x: (1797, 1, 8, 8) in [0, 1].  y: (1797,)."""
    x, y = load_digits(return_X_y=True)
    return torch.tensor(x / 16, dtype=torch.float32).view(-1, 1, 8, 8), torch.tensor(y)


@pytest.fixture(scope="session")
def trained(digits):
    """A Small network that knows the digits; nobody changes it."""
    torch.manual_seed(0)
    return fit(Small(), *digits)


@pytest.fixture
def same(digits, trained):
    """Whether a judged network is the trained one: its answers, accuracy and gradient."""

    def compare(guard, expected=trained, tolerance=1e-4):
        x, y = digits[0][:200], digits[1][:200]
        torch.testing.assert_close(guard(x), expected(x), atol=tolerance, rtol=tolerance)
        assert (guard(x).argmax(1) == y).float().mean() > 0.9
        slopes = []
        for network in (guard, expected):
            ours = x.clone().requires_grad_()
            slopes.append(torch.autograd.grad(F.cross_entropy(network(ours), y), ours)[0])
        torch.testing.assert_close(*slopes, atol=tolerance, rtol=tolerance)

    return compare


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty folder to be in; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
