"""The machine under a benchmark: what it is called, and how long a run takes it, in what memory."""

import ctypes
import platform
import re
import time
from collections.abc import Callable
from pathlib import Path

import torch

PROC = Path("/proc/self")  # where Linux tells of the process


def hardware(device: torch.device) -> str:
    """The accelerator's name; or the processor's, where Linux says it, and how many threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    file = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", file.read_text()) if file.exists() else []
    threads = torch.get_num_threads()
    count = "one thread" if threads == 1 else f"{threads} threads"
    return f"{names[0] if names else platform.machine()}, {count}"


def seconds(run: Callable[[], object], device: torch.device) -> float:
    """Of the processor, which other work does not lengthen; on an accelerator, of the clock."""
    if device.type == "cpu":
        start = time.process_time()
        run()
        return time.process_time() - start
    torch.cuda.synchronize(device)
    start = time.perf_counter()
    run()
    torch.cuda.synchronize(device)
    return time.perf_counter() - start


def peak_mib(run: Callable[[], object], device: torch.device) -> float | None:
    """The most memory that a run held beyond what was held before; None where nobody tells.

    On an accelerator what tensors take there; else of the whole process, as Linux counts it.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        torch.cuda.synchronize(device)
        return round((torch.cuda.max_memory_allocated(device) - before) / 2**20, 1)
    if not (PROC / "clear_refs").exists():
        run()
        return None
    ctypes.CDLL(None).malloc_trim(0)  # what lies free already would hide what the run needs
    (PROC / "clear_refs").write_text("5")  # the peak is watched from here on
    before = resident_kib("VmRSS")
    run()
    return round((resident_kib("VmHWM") - before) / 2**10, 1)


def resident_kib(key: str) -> int:
    """KiB of the process, as Linux counts them: VmRSS now, VmHWM at most so far."""
    (kib,) = re.findall(rf"{key}:\s*(\d+) kB", (PROC / "status").read_text())
    return int(kib)
