"""What the benchmarks share: what they ran on, how a run is timed, how rounds are summed up."""

import datetime
import json
import platform
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch


def header(device: torch.device, rounds: int, **versions: str) -> dict:
    """What stands above the numbers. versions: of what matters beside Python and torch."""
    own = {"python": platform.python_version(), "torch": torch.__version__}
    return {
        "device": hardware(device),
        "date": datetime.date.today().isoformat(),
        "versions": own | versions,
        "threads": torch.get_num_threads(),
        "rounds": rounds,
        "of every three numbers": "median, least, most of the rounds",
    }


def hardware(device: torch.device) -> str:
    """The accelerator's name; or the processor's, where Linux says it, on one thread."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    file = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", file.read_text()) if file.exists() else []
    return f"{names[0] if names else platform.machine()}, one thread"


def seconds(run: Callable[[], object], device: torch.device) -> float:
    """Of the processor, which other work does not lengthen; on an accelerator, of the clock."""
    if device.type == "cpu":
        start = time.process_time()
        run()
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    run()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def spread(values: list[float], digits: int) -> list[float]:
    """Median, least and most."""
    return [round(v, digits) for v in (statistics.median(values), min(values), max(values))]


def write(found: dict, file: Path | None) -> None:
    """Print it, and keep it if asked to."""
    text = json.dumps(found, indent=2)
    print(text)
    if file:
        file.write_text(text + "\n")
