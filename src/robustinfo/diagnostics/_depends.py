"""Which state, of what forwards change, a network's answers depend on.

BatchNorm counts its batches, others their calls, or keep what they have seen: that is no drift. A
tensor is put where it was, and further along its way, up to very far, where what happens after many
calls happens now; if the answers stay what they are, they do not depend on it.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from robustinfo.diagnostics._kept import same

# So many changes from where it is: back, and primes, at which no cycle is where it was.
FURTHER = (-1, 1, 1009, 1_000_003)


class Seen(NamedTuple):
    """A network at some time: what it holds, and what it answers."""

    state: dict[str, Tensor]
    answer: Tensor


def seen(model: nn.Module, asked: Callable[[], Tensor]) -> Seen:
    """What it holds before it answers. asked: random numbers must be the same every time."""
    held = {name: one.detach().clone() for name, one in tensors(model).items()}
    return Seen(held, asked())


def tensors(model: nn.Module) -> dict[str, Tensor]:
    """Every weight and buffer: the network's own."""
    return dict(model.named_parameters()) | dict(model.named_buffers())


def drifted(
    model: nn.Module,
    first: Seen,
    asked: Callable[[], Tensor],
    alike: Callable[[Tensor, Tensor], bool],
) -> list[str]:
    """The names of what changed since ``first`` and decides on answers. The state does not stay.

    alike: whether two answers are one. Where the same state gives several, no question can tell
    what they depend on, and all that changed counts.
    """
    now = seen(model, asked)
    changed = [name for name, one in now.state.items() if not same(one, first.state.get(name))]
    moved = [name for name in changed if _like(now.state[name], first.state.get(name))]

    def matters(names: list[str], *times: int) -> bool:
        for further in times:
            _set(model, now.state)
            _set(model, {one: _moved(first.state[one], now.state[one], further) for one in names})
            try:
                answer = asked()
            except (
                Exception
            ):  # a state that it may never come to; a stranger's code raises anything
                continue
            if not alike(answer, now.answer):
                return True
        return False

    if matters([], 0):
        return changed
    exchanged = [] if alike(first.answer, now.answer) else [*{*changed} - {*moved}]
    if matters(moved, *FURTHER):
        return exchanged + ([name for name in moved if matters([name], *FURTHER)] or moved)
    return exchanged


def _like(a: Tensor, b: Tensor | None) -> bool:
    return b is not None and a.shape == b.shape and a.dtype == b.dtype


@torch.no_grad()
def _set(model: nn.Module, values: Mapping[str, Tensor]) -> None:
    held = tensors(model)
    for name, value in values.items():
        if _like(value, held.get(name)):
            held[name].copy_(value)


def _moved(before: Tensor, now: Tensor, times: int) -> Tensor:
    """So many changes further. Integers stay within their type; a bool is what it was, or is."""
    if now.dtype == torch.bool:
        return before if times == -1 else now
    there = now.double() + times * (now.double() - before.double())
    if not now.is_floating_point():
        kind = torch.iinfo(now.dtype)
        there = there.clamp(max(kind.min, -(2**53)), min(kind.max, 2**53))
    return there.to(now.dtype)
