"""Restore a network's weights and buffers after forward passes that may change them.

BatchNorm that stays in training mode updates its statistics at every pass; others count calls.
"""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def preserve_state(model: nn.Module) -> Iterator[None]:
    """Restore every weight and buffer afterwards: the same tensor objects with the same values."""
    slots: list[MutableMapping[str, Any]] = [
        slot for part in model.modules() for slot in (part._parameters, part._buffers)
    ]
    before = [(slot, dict(slot.items())) for slot in slots]
    values = {
        id(one): (one, one.detach().clone()) for _, tensors in before for one in _tensors(tensors)
    }
    try:
        yield
    finally:
        for slot, tensors in before:
            _restore(slot, tensors)
        for one, value in values.values():
            if not equal(one, value):
                one.detach().copy_(value)


def equal(a: Tensor, b: Tensor | None) -> bool:
    """Whether two tensors are equal in every value, NaN being equal to NaN."""
    return b is not None and a.shape == b.shape and not ((a != b) & ~((a != a) & (b != b))).any()


def _restore(slot: MutableMapping[str, Any], tensors: dict[str, Any]) -> None:
    """Set items one by one, which is all that TorchScript's mappings support."""
    current = dict(slot.items())
    for name in current.keys() - tensors.keys():
        del slot[name]
    for name, one in tensors.items():
        if name not in current or current[name] is not one:
            slot[name] = one


def _tensors(values: dict[str, Any]) -> list[Tensor]:
    return [one for one in values.values() if torch.is_tensor(one)]
