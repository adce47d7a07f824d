"""A wrapper that makes any user's network safe to call, without side effects on inputs or torch.

Networks normalise in place, return a buffer that the next call overwrites, end in ``.squeeze()``
(which drops the batch dimension of one image), compute in float16, or switch gradients off
globally. Callers of a guarded network see none of that.
"""

from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from typing import Self

import torch
from torch import Tensor, nn

from robustinfo.core.checkpoint import Checkpoint
from robustinfo.evaluation.attack_term import attack_term
from robustinfo.evaluation.sources._answers import AnswersOnly
from robustinfo.evaluation.sources._globals import restoring_torch_state
from robustinfo.evaluation.sources._outputs import Adaptation, are_floats, describe_output
from robustinfo.evaluation.sources._precision import LOW, ForcePrecision, convert_to_float32


class Guarded(nn.Module):
    """Images (n, c, h, w) in [0, 1] -> logits (n, K) in the precision of the images; both copies.

    notes: the changes made to the network so that it can be judged, a line each.
    checkpoint: that of a network from a checkpoint file.
    source: the text that named it.  sha256: of its file or weights (sources/__init__.py).
    """

    def __init__(self, network: nn.Module) -> None:
        """Wrap the network in its own precision; ``guarded`` converts it to float32."""
        super().__init__()
        if any(one.is_inference() for one in [*network.parameters(), *network.buffers()]):
            network = deepcopy(network)  # made in inference mode: only copies have gradients
        self.network = network
        self.notes: list[str] = []
        self.checkpoint: Checkpoint | None = None
        self.source = self.sha256 = ""
        self.adaptation = Adaptation()  # where in the network's output the logits are
        self.pairs = False  # whether one image is passed twice, as it fails alone
        self.refused: frozenset[torch.dtype] = frozenset()  # replaced by the images' dtype
        self.reads: torch.dtype | None = None  # the only precision of images that it reads

    @property
    def answers_only(self) -> bool:
        """Whether the network is known by its answers alone, so that it has no gradient."""
        return any(isinstance(one, AnswersOnly) for one in self.modules())

    @property
    def labels_only(self) -> bool:
        """Whether its scores are made from labels: 1 for one class, -1 for the others."""
        return any(isinstance(one, AnswersOnly) and one.gives == "labels" for one in self.modules())

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, K). Raises TypeError where the network gives something else."""
        logits = self.raw_outputs(x)
        if not are_floats(logits) or logits.ndim != 2 or len(logits) != len(x):
            raise TypeError(
                f"gives {describe_output(logits)} for {image_count(len(x))}, not logits (n, K)"
            )
        return logits.to(x, copy=True)  # the network may overwrite its own

    def attack_term(self) -> Callable[..., tuple[Tensor, Tensor]] | None:
        """The term of its defence for adaptive attacks; None where nothing is known of one."""
        return None if self.checkpoint is None else attack_term(self.checkpoint, self.network)

    def raw_outputs(self, x: Tensor) -> Tensor:
        """The network's own logits; for one image (1, K), even where it drops that dimension."""
        alone = len(x) == 1
        images = torch.cat([x, x]) if alone and self.pairs else x.clone()
        images = images if self.reads is None else images.to(self.reads)
        mode = ForcePrecision(x, self.refused) if self.refused else nullcontext()
        with restoring_torch_state(), mode:
            output = self.network(images)
        logits = self.adaptation.logits(output, len(images))
        if alone and isinstance(logits, Tensor):
            return logits[:1] if self.pairs else logits[None] if logits.ndim == 1 else logits
        return logits

    def train(self, mode: bool = True) -> Self:
        """Set the mode, except of torch.export's modules, which have but one."""
        self.training = mode
        _set_mode(self.network, mode)
        return self

    def forbid_low_precision(self, x: Tensor) -> None:
        """Run once, and where a float32 network lowers its precision, refuse that from then on."""
        mode = ForcePrecision(x, LOW)
        with mode:
            self.raw_outputs(x)
        if mode.refused_so_far and not self.refused:
            self.refused = LOW
            names = " and ".join(sorted(map(str, mode.refused_so_far)))
            self.notes.append(f"computes in {names} inside: it is judged in torch.float32")

    def to_float32(self) -> list[tuple[Tensor, Tensor]]:
        """Convert weights and buffers to float32. Returns (tensor, old data) of each converted."""
        original = convert_to_float32(self.network)
        if original:
            dtypes = {data.dtype for _, data in original}
            self.refused = LOW | dtypes
            names = " and ".join(sorted(map(str, dtypes)))
            self.notes.append(f"has weights in {names}: it is judged in torch.float32")
        return original

    def restore_precision(
        self, original: list[tuple[Tensor, Tensor]], reads: torch.dtype | None
    ) -> None:
        """Undo ``to_float32``, and give images in the precision ``reads``; outputs are cast."""
        for one, data in original:
            one.data = data
        self.refused, self.reads = frozenset(), reads
        dtypes = {data.dtype for _, data in original} | ({reads} if reads else set())
        names = " and ".join(sorted(map(str, dtypes)))
        rounded = ": its gradients are rounded" if dtypes & LOW else ", and is judged so"
        self.notes = [f"computes in {names} and fails in torch.float32{rounded}"]


def guarded(network: nn.Module) -> Guarded:
    """The network as Guarded, in float32; a Guarded one is returned as it is."""
    if isinstance(network, Guarded):
        return network
    guard = Guarded(network)
    guard.to_float32()
    return guard


def uncompiled(network: nn.Module) -> nn.Module:
    """What torch.compile was given: the same function, which is not compiled for every batch."""
    return getattr(network, "_orig_mod", network)


def _set_mode(part: nn.Module, mode: bool) -> None:
    """Set the mode of a module and of all its submodules that have one."""
    try:
        part.train(mode)
    except NotImplementedError:  # its own children may lie behind the one that refuses
        for child in part.children():
            _set_mode(child, mode)


def image_count(count: int) -> str:
    """``1 image`` or ``2 images``."""
    return f"{count} image{'s' * (count != 1)}"
