"""One device for one job: a GPU that no other job holds, or the CPU with a fixed thread count."""

import time
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from pipeline.run.threads import threads


def acquire() -> tuple[torch.device, FileLock | None]:
    """Device, and the lock that reserves it until the process ends. Waits for a free GPU.

    Snakemake's ``gpu=1`` counts devices without naming them; the lock reserves one.
    """
    torch.set_num_threads(threads())
    count = torch.cuda.device_count()
    if not count:
        return torch.device("cpu"), None
    folder = Path(".snakemake/gpus")
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        for index in range(count):
            # Not its number: on a cluster every job calls its own device 0.
            uuid = torch.cuda.get_device_properties(index).uuid
            lock = FileLock(folder / f"{uuid}.lock")
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue
            device = torch.device("cuda", index)
            torch.cuda.set_device(device)
            torch.backends.cudnn.allow_tf32 = False  # float32 means float32
            return device, lock
        time.sleep(0.2)


def describe(device: torch.device) -> dict[str, str]:
    """Environment that a result's bits depend on, recorded with every checkpoint."""
    return {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
    }
