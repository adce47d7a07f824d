"""A network that is only looked at stays what it was, even if looking changes it.

BatchNorm that stays in training mode renews its statistics at every forward; others count calls.
"""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def preserve_state(model: nn.Module) -> Iterator[None]:
    """Every weight and buffer comes back: the tensor that it was, with the values that it had."""
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
    """Equal in every value, a NaN to a NaN."""
    return b is not None and a.shape == b.shape and not ((a != b) & ~((a != a) & (b != b))).any()


def _restore(slot: MutableMapping[str, Any], tensors: dict[str, Any]) -> None:
    """Item by item, which is all that TorchScript's own mappings can do; there none is new."""
    current = dict(slot.items())
    for name in current.keys() - tensors.keys():
        del slot[name]
    for name, one in tensors.items():
        if name not in current or current[name] is not one:
            slot[name] = one


def _tensors(values: dict[str, Any]) -> list[Tensor]:
    return [one for one in values.values() if torch.is_tensor(one)]
