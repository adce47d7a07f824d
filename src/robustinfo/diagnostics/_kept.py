"""A network that is only looked at stays what it was, even if looking changes it.

BatchNorm that stays in training mode renews its statistics at every forward; others count calls.
"""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def kept(model: nn.Module) -> Iterator[None]:
    """Every weight and buffer comes back: the tensor that it was, with the values that it had."""
    slots: list[MutableMapping[str, Any]] = [
        slot for part in model.modules() for slot in (part._parameters, part._buffers)
    ]
    before = [(slot, dict(slot.items())) for slot in slots]
    values = {id(one): (one, one.detach().clone()) for _, held in before for one in _tensors(held)}
    try:
        yield
    finally:
        for slot, held in before:
            _put(slot, held)
        for one, value in values.values():
            if not same(one, value):
                one.detach().copy_(value)


def same(a: Tensor, b: Tensor | None) -> bool:
    """Equal in every value, a NaN to a NaN."""
    return b is not None and a.shape == b.shape and not ((a != b) & ~((a != a) & (b != b))).any()


def _put(slot: MutableMapping[str, Any], held: dict[str, Any]) -> None:
    """Item by item, which is all that TorchScript's own mappings can do; there none is new."""
    found = dict(slot.items())
    for name in found.keys() - held.keys():
        del slot[name]
    for name, one in held.items():
        if name not in found or found[name] is not one:
            slot[name] = one


def _tensors(held: dict[str, Any]) -> list[Tensor]:
    return [one for one in held.values() if torch.is_tensor(one)]
