"""Whether a network contradicts itself: other answers when asked again, or in other company.

With noise, or with statistics of the batch, an attack's own assertions fail that rest on what it
was answered before. That is the network's doing and no bug, so that the attack is left out.
"""

import torch
from torch import Tensor, nn

from robustinfo.attacks._frozen import frozen

REPEAT_TOLERANCE = 1e-5  # of the largest logit: what the same batch may differ by, twice in a row
BATCH_TOLERANCE = 1e-4  # the same for batches of another size, which decides on algorithms
IMAGES = 64  # that are asked about
INCONSISTENT = (
    "the network gives the same image another answer when it is asked again, or in other company "
    "(noise in eval mode? BatchNorm in training mode?), which this attack cannot follow; leave it "
    "out, and use pgd or square"
)


@torch.no_grad()
def is_inconsistent(model: nn.Module, x: Tensor) -> bool:
    """Asked about x, (n, c, h, w): twice in one batch, and each image in a pair with itself."""
    x = x[:IMAGES]
    with frozen(model):
        first = model(x)
        again = model(x)
        pairs = torch.cat([model(torch.cat([one, one]))[:1] for one in x.split(1)])
    return _differ(first, again, REPEAT_TOLERANCE) or _differ(first, pairs, BATCH_TOLERANCE)


def _differ(a: Tensor, b: Tensor, tolerance: float) -> bool:
    """Whether logits (n, K) differ by more than a share of the image's largest one."""
    size = a.nan_to_num(0.0, 0.0, 0.0).abs().amax(1, keepdim=True)
    same = ((a - b).abs() <= tolerance * size) | (a == b) | (a.isnan() & b.isnan())
    return not same.all()
