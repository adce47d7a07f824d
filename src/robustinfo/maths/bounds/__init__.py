"""Certified bounds: what the logits of a small feed-forward network can be anywhere in a ball.

steps.py        one operation: what it gives, its reach, and its transpose
chain.py        a network as a chain of operations, recorded as it answers
ball.py         the least value of a linear function in a ball within [0, 1], exactly
intervals.py    interval bounds, forward
relaxation.py   linear bounds, backward
margins.py      the least lead of the label over every other class, by both

Every bound holds for the network in exact arithmetic. It is computed in float64.
"""

from robustinfo.maths.bounds.ball import Ball
from robustinfo.maths.bounds.chain import NoBoundError, recorded
from robustinfo.maths.bounds.margins import least_margins

__all__ = ["Ball", "NoBoundError", "least_margins", "recorded"]
