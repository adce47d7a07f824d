"""Checkpoints as the stages that train write them, of networks that nobody trained."""

import torch

from robustinfo.core import checkpoint
from robustinfo.core.checkpoint import Checkpoint

STANDARD = {"method": "standard", "loss": {"method": "cross_entropy"}}
TRAINED_ON = {"device": "cpu", "instructions": "AVX2", "threads": "1", "torch": "2.0"}


def untrained(architecture, shape, classes, defence=STANDARD, state=None):
    """The checkpoint of a network with random weights, always the same."""
    torch.manual_seed(1)
    weights = checkpoint.build(architecture, shape, classes).state_dict()
    return Checkpoint(architecture, shape, classes, defence, weights, state or {}, TRAINED_ON)


def saved(file, architecture, shape, classes, change=lambda network: None, **about):
    """Write one. Returns its network, which ``change`` may have changed."""
    one = untrained(architecture, shape, classes, **about)
    network = checkpoint.network(one)
    change(network)
    checkpoint.save(file, one._replace(weights=network.state_dict()))
    return network
