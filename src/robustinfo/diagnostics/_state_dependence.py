"""Which of the state that forward passes change the network's outputs depend on.

BatchNorm counts its batches, other layers their calls, or store their inputs: that alone is no
drift. A changed tensor is set back to its old value, and extrapolated by many times its change, as
after many calls; if the outputs stay the same, they do not depend on it.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from robustinfo.diagnostics._preserve_state import equal

# Multiples of a tensor's change: back, and primes, so that a cyclic state does not come back.
EXTRAPOLATIONS = (-1, 1, 1009, 1_000_003)


class Snapshot(NamedTuple):
    """A network's state before a forward pass, and its outputs."""

    state: dict[str, Tensor]
    outputs: Tensor


def snapshot(model: nn.Module, outputs_of: Callable[[], Tensor]) -> Snapshot:
    """The state before the forward pass, and its outputs.

    outputs_of: with the same random numbers at every call.
    """
    state = {name: one.detach().clone() for name, one in tensors(model).items()}
    return Snapshot(state, outputs_of())


def tensors(model: nn.Module) -> dict[str, Tensor]:
    """Every weight and buffer of the network, not copied."""
    return dict(model.named_parameters()) | dict(model.named_buffers())


def changes_that_matter(
    model: nn.Module,
    first: Snapshot,
    outputs_of: Callable[[], Tensor],
    same_outputs: Callable[[Tensor, Tensor], bool],
) -> list[str]:
    """The names of tensors that changed since ``first`` and on which the outputs depend.

    Leaves the network in another state. same_outputs: whether two outputs are equal up to rounding.
    Where the same state gives different outputs, dependence cannot be tested: all changes count.
    """
    now = snapshot(model, outputs_of)
    changed = [name for name, one in now.state.items() if not equal(one, first.state.get(name))]
    moved = [name for name in changed if _same_type(now.state[name], first.state.get(name))]

    def matters(names: list[str], *times: int) -> bool:
        for times_moved in times:
            _set(model, now.state)
            _set(
                model,
                {
                    one: _extrapolated(first.state[one], now.state[one], times_moved)
                    for one in names
                },
            )
            try:
                answer = outputs_of()
            except Exception:  # a state that it may never come to; the user's code raises anything
                continue
            if not same_outputs(answer, now.outputs):
                return True
        return False

    if matters([], 0):
        return changed
    exchanged = [] if same_outputs(first.outputs, now.outputs) else [*{*changed} - {*moved}]
    if matters(moved, *EXTRAPOLATIONS):
        return exchanged + ([name for name in moved if matters([name], *EXTRAPOLATIONS)] or moved)
    return exchanged


def _same_type(a: Tensor, b: Tensor | None) -> bool:
    return b is not None and a.shape == b.shape and a.dtype == b.dtype


@torch.no_grad()
def _set(model: nn.Module, values: Mapping[str, Tensor]) -> None:
    state = tensors(model)
    for name, value in values.items():
        if _same_type(value, state.get(name)):
            state[name].copy_(value)


def _extrapolated(before: Tensor, now: Tensor, times: int) -> Tensor:
    """``now`` plus so many times its change; integers within their type, bools not moved."""
    if now.dtype == torch.bool:
        return before if times == -1 else now
    further = now.double() + times * (now.double() - before.double())
    if not now.is_floating_point():
        kind = torch.iinfo(now.dtype)
        further = further.clamp(max(kind.min, -(2**53)), min(kind.max, 2**53))
    return further.to(now.dtype)
