"""Whether a network is inconsistent: logits of an image differ between calls, or between batches.

With noise, or with statistics of the batch, assertions inside attacks fail that rest on earlier
logits. That is a property of the network and no bug: the attack is then skipped.
"""

import torch
from torch import Tensor, nn

from robustinfo.attacks._frozen import frozen

REPEAT_TOLERANCE = 1e-5  # of the largest logit: what the same batch may differ by, twice in a row
BATCH_TOLERANCE = 1e-4  # the same for batches of another size, which decides on algorithms
IMAGES = 64  # that are compared
INCONSISTENT = (
    "the network gives the same image another answer when it is asked again, or in other company "
    "(noise in eval mode? BatchNorm in training mode?), which this attack cannot follow; leave it "
    "out, and use pgd or square"
)


@torch.no_grad()
def is_inconsistent(model: nn.Module, x: Tensor) -> bool:
    """Whether logits of x, (n, c, h, w), differ in a second call, or in batches of two."""
    x = x[:IMAGES]
    with frozen(model):
        first = model(x)
        again = model(x)
        pairs = torch.cat([model(torch.cat([one, one]))[:1] for one in x.split(1)])
    return _differ(first, again, REPEAT_TOLERANCE) or _differ(first, pairs, BATCH_TOLERANCE)


def _differ(a: Tensor, b: Tensor, tolerance: float) -> bool:
    """Whether logits (n, K) differ by more than ``tolerance`` times the image's largest one."""
    size = a.nan_to_num(0.0, 0.0, 0.0).abs().amax(1, keepdim=True)
    same = ((a - b).abs() <= tolerance * size) | (a == b) | (a.isnan() & b.isnan())
    return not same.all()
