"""Seeds of the parts of a run: each has its own, whatever else runs before it.

A part that is made again alone, after an interruption or on demand, draws the same numbers.
"""

import hashlib
import json

import torch
from torch import Generator


def derived_seed(seed: int, *part: str | int) -> int:
    """A seed below 2^63 for the part that names and numbers identify."""
    text = json.dumps([seed, *part])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def part_generator(device: torch.device | str, seed: int, *part: str | int) -> Generator:
    """A generator on the device, with the ``derived_seed``."""
    return Generator(device).manual_seed(derived_seed(seed, *part))
