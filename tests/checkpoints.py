"""Checkpoints as the stages that train write them, of networks that nobody trained."""

from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from robustinfo.core import checkpoint, sealed
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


@contextmanager
def read_tensors():
    """How often each tensor of each file was read in the block: {(path, name): times}."""
    times = Counter()

    class Counting:
        def __init__(self, path, **options):
            self.path, self.file = path, safe_open(path, **options)

        def __enter__(self):
            self.open = self.file.__enter__()
            return self

        def __exit__(self, *error):
            return self.file.__exit__(*error)

        def metadata(self):
            return self.open.metadata()

        def keys(self):
            return self.open.keys()

        def get_tensor(self, name):
            times[str(self.path), name] += 1
            return self.open.get_tensor(name)

    def read_bytes(path):
        assert path.suffix != ".safetensors", f"{path} was read beside sealed.py"
        return whole(path)

    whole = Path.read_bytes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "safe_open", Counting)
        patch.setattr(Path, "read_bytes", read_bytes)
        yield times
