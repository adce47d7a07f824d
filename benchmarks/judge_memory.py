"""Peak memory of ``judge`` by the number of images: JPEGs of 224 x 224, a small network.

    python -m benchmarks.judge_memory --images 1000 --protocol tiny
    python -m benchmarks.judge_memory --images 50000 --attacks fgsm --file benchmarks/results/...

The folder is made here, of noise that is smooth enough for JPEG, and goes at the end. The limit is
held against all that the process holds, files that the system may drop included; what it held
before the evaluation stands beside.
"""

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from PIL import Image
from torch import nn

from benchmarks._machine import resident_kib
from benchmarks._timing import header, write
from robustinfo.evaluation import protocol, sizes
from robustinfo.evaluation.attacks import attacks_of
from robustinfo.evaluation.evaluate import evaluate
from robustinfo.evaluation.images import images
from robustinfo.evaluation.threats import Ball

BALL = Ball(norm="linf", epsilon=4 / 255)
CLASSES, DIFFERENT = 10, 500  # files that differ; the others are links to them
LIMIT = 4096  # MiB


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--protocol", default="tiny", choices=sizes.BY_NAME)
    parser.add_argument("--attacks", nargs="*", help="of the protocol; all, if none is named")
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    size = sizes.BY_NAME[given.protocol]
    attacks = {name: part.entry for name, part in protocol.attacks(size, BALL).items()}
    asked = {name: attacks[name] for name in given.attacks or attacks}
    network = nn.Sequential(
        nn.Conv2d(3, 4, 8, 8), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 28 * 28, CLASSES)
    ).eval()
    found = header(torch.device("cpu"), 1) | {"command": ["benchmarks.judge_memory", *sys.argv[1:]]}
    with TemporaryDirectory() as folder:
        paint(Path(folder), given.images)
        before, start = resident_kib("VmRSS"), time.perf_counter()
        pictures = images(folder)
        read = time.perf_counter() - start
        result = evaluate(
            network, pictures.images, pictures.labels, classes=CLASSES, ball=BALL,
            attacks=attacks_of(asked),
            diagnostics={"output_checks": {"method": "output_checks"}},
            most_diagnosed=size.images,
            progress=lambda text: print(text, end="\r", file=sys.stderr),
        )  # fmt: skip
    peak = resident_kib("VmHWM")
    found |= {
        "images": result.n,
        "attacks": {name: round(one.leaves, 4) for name, one in result.attacks.items()},
        "seconds": {"reading": round(read), "all": round(time.perf_counter() - start)},
        "peak of the process, MiB": peak // 1024,
        "beyond what was held before, MiB": (peak - before) // 1024,
        "limit, MiB": LIMIT,
    }
    write(found, given.file)
    if peak > 1024 * LIMIT:
        raise SystemExit(f"{peak // 1024} MiB are more than {LIMIT}")


def paint(folder: Path, many: int) -> None:
    """So many images of 224 x 224, class by class."""
    for number in range(many):
        file = folder / str(number % CLASSES) / f"{number}.jpg"
        file.parent.mkdir(exist_ok=True)
        first = number % DIFFERENT
        if number < DIFFERENT:
            small = (255 * torch.rand(28, 28, 3)).byte().numpy()
            Image.fromarray(small).resize((224, 224)).save(file, quality=90)
        else:
            file.hardlink_to(folder / str(first % CLASSES) / f"{first}.jpg")


if __name__ == "__main__":
    main()
