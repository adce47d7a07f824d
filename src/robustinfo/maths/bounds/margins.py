"""The least lead of the label over every other class in a ball: above 0, no attack can succeed."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from robustinfo.maths.bounds.ball import Ball
from robustinfo.maths.bounds.relaxation import inputs_of, least
from robustinfo.maths.bounds.steps import Step

# Of the largest logit of an image, what the least lead is lowered by: float64 rounds by 1e-16 of
# what is summed, and an attack counts from 1e-5 on in float32 (attacks/_success.py).
SLACK = 1e-6


class LeastMargins(NamedTuple):
    """Lower bounds of the logit of the label minus the largest other one, (n,) each."""

    intervals: Tensor  # the last affine layers with the difference of the logits
    relaxation: Tensor


@torch.no_grad()
def least_margins(steps: list[Step], y: Tensor, ball: Ball, *, hidden: int) -> LeastMargins:
    """Bounds by intervals alone, and by linear relaxation, of images (n, c, h, w) in float64.

    y: (n,) labels. hidden: as in ``inputs_of``.
    """
    logits = ball.x
    for step in steps:
        logits = step(logits)
    classes = logits.shape[1]
    # Every difference z_y - z_k.
    wrong = torch.arange(classes, device=y.device).expand(len(y), classes)
    wrong = wrong[wrong != y[:, None]].view(len(y), classes - 1)
    rows = F.one_hot(y, classes)[:, None].to(logits) - F.one_hot(wrong, classes)
    slack = SLACK * logits.abs().amax(1)
    intervals = inputs_of(steps, ball, hidden=0)
    by_intervals = least(steps, rows, intervals, ball, relax=False).amin(1)
    by_relaxation = least(steps, rows, inputs_of(steps, ball, hidden=hidden), ball).amin(1)
    return LeastMargins(by_intervals - slack, by_relaxation - slack)
