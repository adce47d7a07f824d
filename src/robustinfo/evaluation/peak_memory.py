"""The memory of an evaluation, measured: that of the whole process, or of tensors on a GPU."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core.batches import ImageSource, memory_batch, to_float

MIB = 2**20
# Linux. Its ru_maxrss counts what the parent held before this program began, too; that of macOS, in
# bytes, does not.
STATUS = Path("/proc/self/status")


def peaks_mib(
    model: nn.Module, images: ImageSource, counts: Sequence[int], device: torch.device
) -> list[float | None]:
    """The peak with so many images in memory, after the gradient of a batch as large as allowed.

    counts: rising. However few the images, attacks fill a batch with their restarts. Evaluations
    on a CPU held 0.89 (ResNet-18 of width 8), 1.28 (linear, digits) and 1.41 (few weights, large
    activations) times as much. None where nobody tells: on Windows, and on accelerators other
    than CUDA's.
    """
    network, peaks = GradientSafe(model).eval(), list[float | None]()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    for n in counts:
        x = to_float(images[:n], device)
        batch = memory_batch(x[:1].numel())
        at = x.repeat(batch // n + 1, 1, 1, 1)[:batch].requires_grad_()
        torch.autograd.grad(network(at).sum(), at)
        peaks.append(_peak_mib(device))
    return peaks


def _peak_mib(device: torch.device) -> float | None:
    """The most memory so far."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MIB
    if device.type != "cpu" or sys.platform == "win32":
        return None
    if STATUS.exists():
        (kib,) = re.findall(r"VmHWM:\s*(\d+) kB", STATUS.read_text())
        return int(kib) * 1024 / MIB
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
