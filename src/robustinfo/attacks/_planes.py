"""The boundaries of the linearised classifier, to which DeepFool and FAB step."""

from collections.abc import Callable

import torch
from torch import Tensor

from robustinfo.maths import norms


@torch.enable_grad()
def hyperplanes(
    network: Callable[[Tensor], Tensor], at: Tensor, classes: Tensor
) -> tuple[Tensor, Tensor]:
    """Logits of k classes minus that of the first, (n, k), and their gradients, (n, k, d).

    at: (n, c, h, w), d values each.  classes: (n, 1 + k). One forward pass, and k backward passes.
    """
    at = at.detach().requires_grad_()
    logits = network(at).gather(1, classes)
    differences = logits[:, 1:] - logits[:, :1]
    # Images are independent: the gradient of the sum is each image's own.
    totals = differences.sum(0)
    gradients = [torch.autograd.grad(one, at, retain_graph=True)[0] for one in totals]
    return differences.detach(), torch.stack(gradients, 1).flatten(2)


def dual_norm(gradients: Tensor, norm: str) -> Tensor:
    """The most that a step of size 1 in ``norm`` changes: (n, k, d) -> (n, k)."""
    return gradients.norm(p=norms.of(norm).DUAL, dim=-1)
