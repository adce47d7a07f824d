"""Trains the sixty honest networks.

python -m benchmarks.honest_networks [--folder FOLDER] [NAME ...]
"""

import argparse
import time
from pathlib import Path

import torch

from benchmarks.honest.registry import BY_NAME, load
from robustinfo.batches import accuracy


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    parser.add_argument("names", nargs="*", default=list(BY_NAME))
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.names:
        start = time.process_time()
        network, x, y = load(name, given.folder, 500)
        print(
            name,
            f"{accuracy(network, x, y):.3f}",
            f"{time.process_time() - start:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
