"""Made images in the place of MNIST and CIFAR-10, where nothing may be downloaded.

    python -m benchmarks.made_data FOLDER [--train 60000] [--test 10000]

Writes both, prepared, of their shapes and dtypes, for ``ROBUSTINFO_DATA=FOLDER``. An image is the
smooth pattern of its class, shifted by up to three pixels, and noise: a small network learns it in
an epoch or two. What exists is not written again.
"""

import argparse
from pathlib import Path

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from robustinfo.datasets._prepared import SPLITS
from robustinfo.datasets._storage import write

SHAPES = {"mnist": (1, 28, 28), "cifar10": (3, 32, 32)}
CLASSES, SHIFT, NOISE = 10, 3, 0.15


def images(shape: tuple[int, int, int], n: int, draw: Generator) -> tuple[Tensor, Tensor]:
    """uint8 (n, c, h, w), and labels (n,); the patterns are the same for every generator."""
    c, h, w = shape
    coarse = torch.rand(CLASSES, c, 7, 7, generator=Generator().manual_seed(0))
    size = (h + 2 * SHIFT, w + 2 * SHIFT)
    patterns = F.interpolate(coarse, size=size, mode="bilinear")
    labels = torch.randint(CLASSES, (n,), generator=draw)
    top, left = torch.randint(2 * SHIFT + 1, (2, n, 1), generator=draw)
    rows, columns = top + torch.arange(h), left + torch.arange(w)  # (n, h), (n, w)
    found = torch.empty(n, c, h, w, dtype=torch.uint8)
    for part in torch.arange(n).split(1000):
        chosen = labels[part, None, None], rows[part, :, None], columns[part, None, :]
        x = patterns.permute(0, 2, 3, 1)[chosen].permute(0, 3, 1, 2)
        x = x + NOISE * torch.randn(x.shape, generator=draw)
        found[part] = (x.clamp(0, 1) * 255).round().byte()
    return found, labels


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for split in SPLITS:
        parser.add_argument(f"--{split}", type=int, default=60_000 if split == "train" else 10_000)
    given = parser.parse_args()
    for name, shape in SHAPES.items():
        for seed, split in enumerate(SPLITS, 1):
            file = given.folder / name / f"{split}.safetensors"
            if file.exists():
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            draw = Generator().manual_seed(seed)
            x, y = images(shape, getattr(given, split), draw)
            about = {"source": "benchmarks/made_data.py", "settings": {"method": name}}
            write(file, x.numpy(), y.numpy(), classes=[str(k) for k in range(CLASSES)], **about)


if __name__ == "__main__":
    main()
