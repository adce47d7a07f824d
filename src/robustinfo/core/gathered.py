"""Tensors of many batches end to end, in a file that memory need not hold."""

import math
import os
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import torch
from torch import Tensor

from robustinfo.core.files import disk_errors


def gathered(parts: Iterable[dict[str, Tensor]], n: int, folder: Path) -> dict[str, Tensor]:
    """The tensors of every part, (b, ...) each, as one of (n, ...) by name, on the CPU.

    parts: of n rows together, all with the same names. The rows lie in a file of ``folder`` that
    has no name and goes when the tensors do; the system writes them there when memory is short.
    Raises DiskError.
    """
    found: dict[str, Tensor] = {}
    start = 0
    for part in parts:
        for name, rows in part.items():
            if name not in found:
                found[name] = _in_a_file((n, *rows.shape[1:]), rows.dtype, folder)
            found[name][start : start + len(rows)] = rows
        start += len(rows)
    return found


def _in_a_file(shape: tuple[int, ...], dtype: torch.dtype, folder: Path) -> Tensor:
    folder.mkdir(parents=True, exist_ok=True)
    kind = torch.empty(0, dtype=dtype).numpy().dtype
    with disk_errors(folder), TemporaryFile(dir=folder) as file:
        if hasattr(os, "posix_fallocate"):  # else a full disk would end the process in the middle
            os.posix_fallocate(file.fileno(), 0, max(1, math.prod(shape) * kind.itemsize))
        return torch.from_numpy(np.memmap(file, dtype=kind, mode="w+", shape=shape))
