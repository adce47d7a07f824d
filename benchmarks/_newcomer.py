"""Entropic retraining of LeNet-5 as a newcomer writes it, by PyTorch's tutorials.

torchvision's MNIST (a PIL image and ToTensor for every item) in a DataLoader, forward hooks on
every activation, E of each layer by its formula, torch.optim.Adam, ``loss.item()`` after every
step.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import MNIST
from torchvision.transforms import ToTensor

from robustinfo.models import lenet5

BATCH, RATE, FACTOR, FLOW = 4, 0.0009, 1.65, 6.0


def network(device: torch.device) -> nn.Module:
    torch.manual_seed(0)
    return lenet5.build((1, 28, 28), 10, config=lenet5.Config()).to(device)


class Items(MNIST):
    """torchvision's MNIST with our images: its ``__getitem__``, without the download."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.data, self.targets = images[:, 0], labels
        self.transform, self.target_transform = ToTensor(), None


def newcomer(dataset: Dataset, device: torch.device) -> list[float]:
    """One pass over the images in their order; the loss of every step."""
    model, outputs = network(device), {}

    def keep(name: str) -> None:
        hook = lambda module, given, out: outputs.__setitem__(name, out.flatten(1))  # noqa: E731
        getattr(model, name).register_forward_hook(hook)

    for name in model.activations[:-1]:  # the last is the softmax
        keep(name)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    losses = []
    for x, y in DataLoader(dataset, batch_size=BATCH):
        x, y = x.to(device), y.to(device)
        logits = model(x)
        layers = [*outputs.values(), logits.softmax(1)]
        entropies = [-(h * torch.log(h.clamp(min=1e-12))).sum(1).mean() for h in layers]
        flow = sum(a - b for a, b in pairwise(entropies)) / (len(entropies) - 1)
        loss = F.cross_entropy(logits, y) + (flow - FACTOR * FLOW) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
