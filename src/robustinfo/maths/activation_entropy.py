"""The entropy-like values E, E_N and E_T of activations.

Sperl and Böttinger (2020), arXiv 2008.03072:
E(h_i) = - sum_j h_j log h_j  over the N_i neurons of layer i (eq. 6; natural logarithm),
E_N = 1/M sum_i E(h_i) / N_i  (eq. 7),   E_T = (E(h_1) - E(h_M)) / (M - 1)  (eq. 8).
Activations are no probabilities: E is negative where they exceed 1, and is not a Shannon entropy.
E of a set of images, of which the paper does not speak, is the mean of theirs: it does not depend
on how many there are. 0 log 0 = 0, but its slope is infinite: below FLOOR the logarithm is
constant, by which E moves by less than 1e-10 per neuron, and the slope at 0 is finite, 27.6.
E_T telescopes: of M layers, only the first and the last matter.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from robustinfo.core.errors import UserError

Value = TypeVar("Value", Tensor, float)
FLOOR = 1e-12  # activation below which the logarithm stands still


def activation_entropy(h: Tensor) -> Tensor:
    """E in natural-log units: (n, d) non-negative activations -> (n,).

    Negative activations give a finite but meaningless value: see ``refuse_negative``.
    """
    return -(h * h.clamp(min=FLOOR).log()).sum(1)


class Sums(NamedTuple):
    """Sums over the images so far, from which E of a layer follows."""

    n: int
    neurons: int
    total: Tensor  # of E, a scalar in float64


def accumulate(h: Tensor, before: Sums | None = None) -> Sums:
    """The sums with the activations h (n, d) of further images added; before: None at first."""
    total = activation_entropy(h.double()).sum()
    if before is None:
        return Sums(len(h), h.shape[1], total)
    return Sums(before.n + len(h), before.neurons, before.total + total)


def entropy_of_set(sums: Sums) -> Tensor:
    """E of all images that were added, a scalar in float64."""
    return sums.total / sums.n


def flow_penalty(first: Tensor, last: Tensor, target: Tensor, *, layers: int) -> Tensor:
    """(E_T - target)^2, a scalar, as one differentiable operation: half the time of its formula.

    first, last: (n, d), (n, D), the only two of the ``layers`` that act. target: a scalar.
    """
    return _Penalty.apply(first, last, target, 1 / (len(first) * (layers - 1)))


class _Penalty(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        first: Tensor,
        last: Tensor,
        target: Tensor,
        scale: float,
    ) -> Tensor:
        logs = [h.clamp(min=FLOOR).log_() for h in (first, last)]
        of_first = torch.dot(first.flatten(), logs[0].flatten())  # - E of all images
        of_last = torch.dot(last.flatten(), logs[1].flatten())
        gap = (of_last - of_first) * scale - target
        ctx.save_for_backward(first, last, *logs, gap)
        ctx.scale = scale
        return gap * gap

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple:  # noqa: ANN401
        first, last, log_first, log_last, gap = ctx.saved_tensors
        slope = grad * gap * (2 * ctx.scale)
        # d E / d h = -(log h + 1), and without the 1 below the floor.
        of_first = (first > FLOOR).add(log_first).mul_(-slope)
        of_last = (last > FLOOR).add(log_last).mul_(slope)
        return of_first, of_last, None, None


def refuse_negative(h: Tensor, layer: str) -> None:
    """Raise ValueError, naming the layer and the value, if an activation is below 0."""
    lowest = h.min().item()
    if lowest < 0:
        raise UserError(
            f"layer {layer!r} yields {lowest:.3g}: activation entropy needs activations >= 0 "
            "(outputs of ReLU, sigmoid or softmax); name others under the model's `activations`"
        )


def network_entropy(entropies: Sequence[Value], sizes: Sequence[int]) -> Value:
    """E_N from E(h_i) of each layer, every one (n,) or scalar, and the layers' neuron counts."""
    parts = [e / size for e, size in zip(entropies, sizes, strict=True)]
    return sum(parts[1:], parts[0]) / len(sizes)


def entropy_flow(entropies: Sequence[Value]) -> Value:
    """E_T from E(h_i) of each layer, every one (n,) or scalar. Needs at least two layers."""
    return (entropies[0] - entropies[-1]) / (len(entropies) - 1)
