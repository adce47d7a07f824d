"""What JPEG and back costs per image: as arithmetic on the batch, with Pillow, with torchvision.

    python -m benchmarks.jpeg_round_trip [--rounds 11] [--images 2000] [--out FOLDER]

The first 2,000 test images of CIFAR-10 and of MNIST, from the prepared data (ROBUSTINFO_DATA or
``data``), at qualities 20 and 75; one CPU thread. The loops take turns, so that whatever else the
machine does meets all of them, and the time is the processor's, which runs only while the process
does. First all loops must give the same bytes.

pillow: a list of arrays, each encoded to a BytesIO, opened again and decoded. torchvision: its
``encode_jpeg`` and ``decode_jpeg`` on the list of all images. single: ours with one image a call.
"""

import argparse
import sys
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image, features
from torch import Tensor
from torchvision.io import decode_jpeg, encode_jpeg

from benchmarks._timing import Row, Timed, in_turn, keep, row
from robustinfo.datasets._prepared import data_root, open_split
from robustinfo.distortions.jpeg import round_trip

CPU = torch.device("cpu")
SINGLE = 100  # images that are read one by one
SETTINGS = [(name, quality) for name in ("cifar10", "mnist") for quality in (20, 75)]


def pillow(arrays: list[np.ndarray], quality: int) -> list[np.ndarray]:
    decoded = []
    for array in arrays:
        file = BytesIO()
        Image.fromarray(array).save(file, format="JPEG", quality=quality)
        decoded.append(np.asarray(Image.open(file)))
    return decoded


def by_torchvision(images: Tensor, quality: int) -> Tensor:
    return torch.stack(decode_jpeg(encode_jpeg(list(images), quality)))


def single(images: Tensor, quality: int) -> Tensor:
    return torch.cat([round_trip(image, quality) for image in images.split(1)])


def compared(name: str, quality: int, count: int, rounds: int) -> list[Row]:
    images = open_split(name, "test", {"method": name}, data_root()).images[:count].clone()
    n, c, h, w = images.shape
    arrays = list(images.permute(0, 2, 3, 1).contiguous().view(n, h, w, *[c] * (c > 1)).numpy())
    loops = {
        "pillow": (n, lambda: pillow(arrays, quality)),
        "torchvision": (n, lambda: by_torchvision(images, quality)),
        "ours": (n, lambda: round_trip(images, quality)),
        "single": (SINGLE, lambda: single(images[:SINGLE], quality)),
    }
    expected = torch.from_numpy(np.stack(loops["pillow"][1]())).view(n, h, w, c).permute(0, 3, 1, 2)
    for loop, (count, run) in list(loops.items())[1:]:
        if not run().equal(expected[:count]):
            sys.exit(f"error: {loop} gives other bytes than Pillow: nothing is timed")

    found = in_turn({loop: run for loop, (_, run) in loops.items()}, rounds, CPU)
    each = {
        loop: Timed([value / loops[loop][0] for value in timed.seconds], timed.mib)
        for loop, timed in found.items()
    }
    kernel, unit = f"JPEG and back, {c} x {h} x {w}, quality {quality}", {"unit": "us per image"}
    beside = [("Pillow", "pillow", "ours"), ("torchvision", "torchvision", "ours")]
    beside.append(("Pillow, one image a call of ours", "pillow", "single"))
    return [
        row(kernel, each[own], peer, each[theirs], scale=1e6, **unit)
        for peer, theirs, own in beside
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*deprecated.*", module="torchvision")
    torch.set_num_threads(1)
    details = {
        "rounds": given.rounds,
        "torchvision": torchvision.__version__,
        "pillow": PIL.__version__,
        "pillow's libjpeg-turbo": features.version_feature("libjpeg_turbo"),
    }
    rows = []
    for name, quality in SETTINGS:
        rows += compared(name, quality, given.images, given.rounds)
    keep(rows, details, CPU, given.out)


if __name__ == "__main__":
    main()
