"""Small stand-ins for honest networks that checks have accused wrongly, on the digits.

Of the kinds of benchmarks/honest, which holds eighty, trained longer; these take seconds.
"""

from functools import cache

import torch

from benchmarks.honest.kinds import KINDS, Case
from robustinfo.core.batches import to_float
from tests.evaluation.networks import Honest, images

CASES = {
    "certified": Case("test", "cnn_certified_narrow", "digits", "linf", 0.1, 3),
    "sigmoid": Case("test", "fc_sigmoid", "digits", "linf", 0.05, 3),
    "connected": Case("test", "fc", "digits", "linf", 0.05, 3),
    "trained to the end": Case("test", "fc_to_the_end", "digits", "linf", 0.05, 3),
    "attacked in l2": Case("test", "cnn", "digits", "l2", 1.0, 3),
}


@cache
def stand_in(name: str, count: int = 100) -> Honest:
    """The network, trained for this, and the first test images."""
    case = CASES[name]
    torch.manual_seed(case.seed)
    network = KINDS[case.kind].build()
    KINDS[case.kind].train(network, case)
    test = images(case.dataset, "test")
    network.eval().requires_grad_(False)
    return Honest(
        case.dataset, network, to_float(test.images[:count]), test.labels[:count], case.epsilon
    )
