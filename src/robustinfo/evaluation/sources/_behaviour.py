"""What a network does, as a sha256: weights alone do not say how they are used."""

import hashlib
import inspect

import torch
from torch import nn

from robustinfo.evaluation.sources._guarded import Guarded

PROBES = 16  # random images, not of 8 bits: a network that rounds its inputs answers otherwise
LIBRARIES = ("torch", "torchvision", "robustinfo")


@torch.no_grad()
def behaviour_sha256(guard: Guarded, shape: tuple[int, ...], device: torch.device) -> str:
    """Of its answers on random images, which are always the same, and of its modules' source.

    shape: (c, h, w). torch is seeded meanwhile, so that a network that draws by itself answers as
    before.
    """
    probes = torch.rand(PROBES, *shape, generator=torch.Generator().manual_seed(0)).to(device)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        answers = guard(probes)
    content = hashlib.sha256(answers.cpu().contiguous().numpy().data)
    for part in guard.network.modules():
        content.update(_source(type(part)).encode())
    return content.hexdigest()


def _source(kind: type[nn.Module]) -> str:
    """The name of a class, and its source where that is the user's and is known."""
    name = f"{kind.__module__}.{kind.__qualname__}"
    if kind.__module__.partition(".")[0] in LIBRARIES:
        return name
    try:
        return name + inspect.getsource(kind)
    except (OSError, TypeError):  # of a notebook, or made by a program
        return name
