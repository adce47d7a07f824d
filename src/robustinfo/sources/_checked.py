"""Is it a classifier of these images? Asked with a few images, before anything is attacked.

Whether what it gives are logits that can be attacked is the judge's question.
"""

import torch
from torch import Tensor, nn

from robustinfo.faults import Fault
from robustinfo.sources._asked import Asked

MANY = 33  # more than the batch that somebody may have fixed


@torch.no_grad()
def checked(network: nn.Module, text: str, asked: Asked, device: torch.device) -> nn.Module:
    """The network in eval mode on the device. Raises Fault unless it gives outputs (n, classes)."""
    network = network.to(device)
    network.eval()  # may return nothing, where somebody has overridden `train`
    x = torch.rand(MANY, *asked.shape, generator=torch.Generator().manual_seed(0)).to(device)
    size = " x ".join(map(str, asked.shape))
    try:
        for count in (MANY, 1, 2):
            logits = network(x[:count].clone())
    except Exception as error:  # whatever a network of somebody else's raises
        raise Fault(
            f"{text} cannot read {count} images of {size}, floats in [0, 1] on {device} "
            f"({type(error).__name__}: {error}); choose the image size that it was made for"
        ) from error
    if problem := _problem(logits, asked.classes):
        raise Fault(f"{text} {problem}")
    return network


def _problem(logits: Tensor, classes: int) -> str | None:
    if not isinstance(logits, Tensor) or not logits.is_floating_point():
        kind = logits.dtype if isinstance(logits, Tensor) else type(logits).__name__
        return f"gives {kind} for a batch of images, not a tensor of float logits (n, K)"
    if logits.shape != (2, classes):
        return (
            f"gives {tuple(logits.shape)} for 2 images, not (2, {classes}): logits of the data's "
            f"{classes} classes; choose data of the classes that it knows, or, of a folder of "
            "images, name all of them in order (--classes)"
        )
    return None
