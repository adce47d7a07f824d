"""A network that something is done to, for every test that has to break one."""

from torch import nn


class After(nn.Module):
    """The model, with something done to its logits."""

    def __init__(self, model, change):
        super().__init__()
        self.model, self.change = model, change

    def forward(self, x):
        return self.change(self.model(x))
