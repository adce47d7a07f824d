"""Find the logits in whatever a network gives: the one place where outputs are adapted.

Tensor (n, K)            as it is
dictionary, dataclass    the entry called logits, out ..., or the only one that fits
tuple, list              the first tensor that fits
(n,) or (n, 1), K = 2    one logit z, that of the second class: logits (0, z)
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from robustinfo.core.errors import UserError

NAMES = ("logits", "out", "output", "outputs", "scores", "predictions")
DEEPEST = 3  # containers within each other


class Adaptation(NamedTuple):
    """Where in a network's output its logits are; by default the output itself."""

    path: tuple[str | int, ...] = ()  # keys, names or places, from the outside to the tensor
    one_logit: bool = False
    notes: tuple[str, ...] = ()  # what is adapted, for people

    def logits(self, output: Any, count: int) -> Tensor:  # noqa: ANN401
        """The logits (count, K) of a batch; the output itself where nothing is to be adapted."""
        for key in self.path:
            output = dict(_entries(output))[key]
        if self.one_logit and isinstance(output, Tensor):
            second = output.reshape(count, 1)
            return torch.cat([torch.zeros_like(second), second], 1)
        return output


def find_logits(output: object, count: int, classes: int, text: str) -> Adaptation:
    """Where the logits are in the output for ``count`` images.

    Nothing is adapted where nothing fits: the check of the logits says what is wrong. Raises
    UserError where several tensors fit, and no name tells which.
    """
    found = {path: one for path, one in _tensors(output) if one.shape == (count, classes)}
    one_logit = not found and classes == 2
    if one_logit:
        shapes = ((count,), (count, 1))
        found = {path: one for path, one in _tensors(output) if tuple(one.shape) in shapes}
    if not found:
        return Adaptation()
    path = _chosen([*found], type(output).__name__, text)
    notes = []
    if path:
        place = "".join(f"[{key!r}]" for key in path)
        notes.append(f"gives a {type(output).__name__}: its {place} is taken for the logits")
    if one_logit:
        notes.append("gives one logit z, that of the second class: its logits are taken as (0, z)")
    return Adaptation(path, one_logit, tuple(notes))


def logits_shapes(output: object, count: int) -> Iterator[int]:
    """The columns of every tensor in an output that may be logits of ``count`` images."""
    for _, tensor in _tensors(output):
        if tensor.shape[:1] == (count,) and tensor.ndim <= 2:
            yield tensor.shape[1] if tensor.ndim == 2 else 1


def are_floats(answer: object) -> bool:
    """Whether an output is a dense tensor of floats, whatever its shape."""
    if not isinstance(answer, Tensor) or answer.layout != torch.strided:
        return False
    return answer.is_floating_point()


def describe_output(answer: object) -> str:
    """The type, layout, dtype or shape of an output that is not logits."""
    if isinstance(answer, Tensor):
        if answer.layout != torch.strided:
            return str(answer.layout)
        return str(tuple(answer.shape)) if answer.is_floating_point() else str(answer.dtype)
    inside = ", ".join(f"{key!r}: {describe_output(one)}" for key, one in _entries(answer))
    return f"{type(answer).__name__} of {inside}" if inside else type(answer).__name__


def _chosen(paths: list[tuple[str | int, ...]], kind: str, text: str) -> tuple[str | int, ...]:
    """The path of the logits among those of tensors that fit."""
    for name in NAMES:
        named = [path for path in paths if path and path[-1] == name]
        if len(named) == 1:
            return named[0]
    if len(paths) == 1 or all(isinstance(key, int) for path in paths for key in path):
        return paths[0]
    places = ", ".join("".join(f"[{key!r}]" for key in path) for path in paths)
    raise UserError(
        f"{text} gives a {kind} in which several tensors may be the logits: {places}; let it "
        f"return that one alone, or call it {NAMES[0]!r}"
    )


def _tensors(output: object, depth: int = 0) -> Iterator[tuple[tuple[str | int, ...], Tensor]]:
    """Every dense tensor of floats in an output, and where it is."""
    if isinstance(output, Tensor):
        if are_floats(output):
            yield (), output
    elif depth < DEEPEST:
        for key, one in _entries(output):
            for path, tensor in _tensors(one, depth + 1):
                yield (key, *path), tensor


def _entries(output: object) -> Iterator[tuple[str | int, object]]:
    """The entries of a container by key, field or place; none of anything else."""
    if isinstance(output, Mapping):
        yield from output.items()
    elif is_dataclass(output):
        yield from ((one.name, getattr(output, one.name)) for one in fields(output))
    elif isinstance(output, tuple) and hasattr(output, "_fields"):
        yield from zip(output._fields, output, strict=True)
    elif isinstance(output, tuple | list):
        yield from enumerate(output)
