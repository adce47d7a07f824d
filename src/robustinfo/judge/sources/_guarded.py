"""A stranger's network, made safe to call: what it does to its input or to torch stays inside.

Networks normalise in place, give back a buffer that the next call overwrites, end in ``.squeeze()``
(which takes away the batch of one image), compute in float16, or switch gradients off for
everybody. Whoever calls a guarded network sees none of that.
"""

from contextlib import nullcontext
from copy import deepcopy
from typing import Self

import torch
from torch import Tensor, nn

from robustinfo.core.checkpoint import Checkpoint
from robustinfo.judge.sources._globals import restoring_torch_state
from robustinfo.judge.sources._precision import LOW, ForcePrecision, convert_to_float32


class Guarded(nn.Module):
    """Images (n, c, h, w) in [0, 1] -> logits (n, K) in the precision of the images; both copies.

    notes: what is done to the network so that it can be judged, a line each.
    checkpoint: what the file of a network of ours holds.
    """

    def __init__(self, network: nn.Module) -> None:
        """The network as it is, in its own precision; ``guarded`` is for everybody else."""
        super().__init__()
        if any(one.is_inference() for one in [*network.parameters(), *network.buffers()]):
            network = deepcopy(network)  # made in inference mode: only copies have gradients
        self.network = network
        self.notes: list[str] = []
        self.checkpoint: Checkpoint | None = None
        self.pairs = False  # whether one image is asked as two of the same, as it fails alone
        self.refused: frozenset[torch.dtype] = frozenset()  # of what a forward may ask for

    def forward(self, x: Tensor) -> Tensor:
        """Raises TypeError where the network gives something else than float logits (n, K)."""
        logits = self.raw_outputs(x)
        if not are_floats(logits) or logits.ndim != 2 or len(logits) != len(x):
            raise TypeError(
                f"gives {describe_output(logits)} for {image_count(len(x))}, not logits (n, K)"
            )
        return logits.to(x, copy=True)  # the network may overwrite its own

    def raw_outputs(self, x: Tensor) -> Tensor:
        """What the network itself answers; of one image (1, K), where it takes the batch away."""
        alone = len(x) == 1
        images = torch.cat([x, x]) if alone and self.pairs else x.clone()
        mode = ForcePrecision(x, self.refused) if self.refused else nullcontext()
        with restoring_torch_state(), mode:
            logits = self.network(images)
        if alone and isinstance(logits, Tensor):
            return logits[:1] if self.pairs else logits[None] if logits.ndim == 1 else logits
        return logits

    def train(self, mode: bool = True) -> Self:
        """Modules of torch.export have one mode, in which they were exported, and refuse others."""
        self.training = mode
        _set_mode(self.network, mode)
        return self

    def forbid_low_precision(self, x: Tensor) -> None:
        """Ask once, and where a float32 network goes down to less by itself, forbid it."""
        mode = ForcePrecision(x, LOW)
        with mode:
            self.raw_outputs(x)
        if mode.refused_so_far and not self.refused:
            self.refused = LOW
            names = " and ".join(sorted(map(str, mode.refused_so_far)))
            self.notes.append(f"computes in {names} inside: it is judged in torch.float32")

    def to_float32(self) -> list[tuple[Tensor, Tensor]]:
        """Weights and buffers become float32. Returns each that was not, and what it held."""
        original = convert_to_float32(self.network)
        if original:
            dtypes = {data.dtype for _, data in original}
            self.refused = LOW | dtypes
            names = " and ".join(sorted(map(str, dtypes)))
            self.notes.append(f"has weights in {names}: it is judged in torch.float32")
        return original

    def restore_precision(self, original: list[tuple[Tensor, Tensor]]) -> None:
        """Back to its own precision; what it answers is still cast."""
        for one, data in original:
            one.data = data
        self.refused = frozenset()
        names = " and ".join(sorted({str(data.dtype) for _, data in original}))
        self.notes = [f"computes in {names} and fails in torch.float32: its gradients are rounded"]


def guarded(network: nn.Module) -> Guarded:
    """The network in its guard, in float32, or the guard that it is in already."""
    if isinstance(network, Guarded):
        return network
    guard = Guarded(network)
    guard.to_float32()
    return guard


def _set_mode(part: nn.Module, mode: bool) -> None:
    """The mode of a module and of all within it that have one."""
    try:
        part.train(mode)
    except NotImplementedError:  # its own children may lie behind the one that refuses
        for child in part.children():
            _set_mode(child, mode)


def are_floats(answer: object) -> bool:
    """Whether an answer is a dense tensor of floats, whatever its shape."""
    if not isinstance(answer, Tensor) or answer.layout != torch.strided:
        return False
    return answer.is_floating_point()


def describe_output(answer: object) -> str:
    """What an answer is, if it is not logits: its kind, or its shape."""
    if not isinstance(answer, Tensor):
        return type(answer).__name__
    if answer.layout != torch.strided:
        return str(answer.layout)
    return str(tuple(answer.shape)) if answer.is_floating_point() else str(answer.dtype)


def image_count(count: int) -> str:
    """``1 image`` or ``2 images``."""
    return f"{count} image{'s' * (count != 1)}"
