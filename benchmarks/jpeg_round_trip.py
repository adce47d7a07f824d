"""What JPEG and back costs per image: as arithmetic on the batch, with Pillow, with torchvision.

    python -m benchmarks.jpeg_round_trip [rounds] [file]

The first 2,000 test images of CIFAR-10 and of MNIST, from the prepared data (ROBUSTINFO_DATA or
``data``), at qualities 20 and 75; one CPU thread. The loops take turns, so that whatever else the
machine does meets all of them, and the time is the processor's, which runs only while the process
does. First all loops must give the same bytes. The numbers are printed, and written to ``file``.

pillow: a list of arrays, each encoded to a BytesIO, opened again and decoded. torchvision: its
``encode_jpeg`` and ``decode_jpeg`` on the list of all images. single: ours with one image a call.
"""

import statistics
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

from benchmarks._timing import header, seconds, spread, write
from robustinfo.datasets._prepared import data_root, open_split
from robustinfo.distortions.jpeg import round_trip

CPU = torch.device("cpu")
IMAGES, SINGLE = 2000, 100
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


def measured(name: str, quality: int, rounds: int) -> dict:
    images = open_split(name, "test", {"method": name}, data_root()).images[:IMAGES].clone()
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

    times: dict[str, list[float]] = {loop: [] for loop in loops}
    for _ in range(rounds):
        for loop, (count, run) in loops.items():
            times[loop].append(seconds(run, CPU) / count * 1e6)

    def ratios(one: str) -> list[float]:
        return spread([a / b for a, b in zip(times[one], times["ours"], strict=True)], 2)

    return {
        "microseconds per image": {loop: spread(values, 1) for loop, values in times.items()},
        "pillow / ours": ratios("pillow"),
        "torchvision / ours": ratios("torchvision"),
        "single / pillow": round(
            statistics.median(times["single"]) / statistics.median(times["pillow"]), 2
        ),
    }


def main(rounds: int = 11, file: str | None = None) -> None:
    warnings.filterwarnings("ignore", message=".*deprecated.*", module="torchvision")
    torch.set_num_threads(1)
    versions = {
        "torchvision": torchvision.__version__,
        "pillow": PIL.__version__,
        "pillow's libjpeg-turbo": features.version_feature("libjpeg_turbo"),
    }
    found = header(CPU, rounds, **versions) | {"images": IMAGES}
    for name, quality in SETTINGS:
        found[f"{name}, quality {quality}"] = measured(name, quality, rounds)
    write(found, Path(file) if file else None)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
