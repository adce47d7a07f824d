import os
import signal
from types import SimpleNamespace

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny networks: a second thread mostly waits

import pytest
import torch
from torch import nn

# What a shell starts in the background is deaf to Ctrl-C, and so would all be that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def linear_problem(classes, pixels=4, images=64, seed=0):
    """Mid-grey images and a linear classifier, so that no small perturbation meets the [0, 1] box.

    model(x) = W (x - 1/2); y is what it answers; weight: (K, d).
    """
    generator = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(pixels**2, classes)).eval()
    weight = torch.randn(classes, pixels**2, generator=generator)
    model[1].weight.data.copy_(weight)
    model[1].bias.data.copy_(-weight.sum(1) / 2)
    x = 0.35 + 0.3 * torch.rand(images, 1, pixels, pixels, generator=generator)
    y = model(x).argmax(1)
    return SimpleNamespace(model=model, x=x, y=y, weight=weight)


@pytest.fixture
def two_classes():
    return linear_problem(2)


@pytest.fixture
def four_classes():
    return linear_problem(4)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """Side by side, a file's tests share a process, as those of a folder of session fixtures.

    The slow ones come first, so that no process waits for another at the end.
    """
    slow = {group(item) for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: group(item) not in slow)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))


def group(item):
    folder, file = item.path.parent.name, item.nodeid.split("::")[0]
    return folder if folder == "evidence" else file
