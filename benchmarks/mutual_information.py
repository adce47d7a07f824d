"""What the estimators of mutual information cost, beside the published way of writing them.

    python -m benchmarks.mutual_information [--rounds 3] [--samples 5000] [--device cpu]
                                            [--out FOLDER]

5,000 samples of 6,272 neurons: convolutions (32 channels, 14 x 14) of a small network on the first
test images of MNIST, from the prepared data (ROBUSTINFO_DATA or ``data``), Gaussian noise, a
constant, and one sample again and again, where nothing can be left out; one CPU thread, or a GPU.
The loops take turns. First the values must agree: kernels within 1e-6 bit of the plain form in
double precision, bins within 1e-12. Last the memory that the widest probe of WRN-28-10 asks for.

plain: as published (_plain_information.py).
limit: where pairs lie near each other all over, what the plain form takes over the product of half
of all pairs in float64, without which 1e-6 bit cannot be had.
"""

import argparse
import statistics
import sys
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks._machine import peak_mib, seconds
from benchmarks._plain_information import S2, WIDTH, plain_bins, plain_kernels
from benchmarks._timing import Row, in_turn, keep, row, short
from robustinfo.core.settings import Settings
from robustinfo.datasets._prepared import data_root, open_split
from robustinfo.measures import binned_information, kde_information

CHANNELS, BATCH = 32, 128
NEAR = "convolution 2, untrained"  # a tenth of its pairs, all over, within sight of the kernel
WIDEST = 163_840  # neurons of the widest probe of WRN-28-10
BINS = 30
KERNELS = kde_information.Config(noise_variance=S2)


def layers(x: Tensor) -> dict[str, Tensor]:
    """Untrained, and after one pass over a third of the training images. x: the test images."""
    torch.manual_seed(0)
    first = nn.Conv2d(1, CHANNELS, 3, padding=1, stride=2)  # (n, 32, 14, 14)
    second = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
    last = (nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(CHANNELS * 49, 10))
    model = nn.Sequential(first, nn.ReLU(), second, *last)
    train = open_split("mnist", "train", {"method": "mnist"}, data_root())
    with torch.no_grad():
        found = {NEAR: second(first(x).relu()).flatten(1)}
    optimizer = torch.optim.Adam(model.parameters())
    for at in range(0, min(20_000, len(train.labels)), BATCH):
        batch = slice(at, at + BATCH)
        loss = F.cross_entropy(model(train.images[batch].float() / 255), train.labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        found["convolution 1 after ReLU, trained"] = first(x).relu().flatten(1)
    noise = torch.randn(len(x), CHANNELS * 14 * 14)
    again = noise[:1].repeat(len(x), 1)
    return found | {"Gaussian": noise, "constant": torch.ones_like(noise), "one sample": again}


def ours(measure: ModuleType, t: Tensor, y: Tensor, config: Settings) -> dict:
    found = {one.quantity: one for one in measure.estimate(t, y, config=config)}
    return {
        end: tuple(found[f"information_{of}_bits{end}"].value for of in ("input", "label"))
        for end in ("_upper", "_lower", "")
        if f"information_input_bits{end}" in found
    }


def compared(name: str, t: Tensor, y: Tensor, rounds: int) -> tuple[list[Row], dict]:
    loops = {
        "kernels": (partial(plain_kernels, t, y), partial(ours, kde_information, t, y, KERNELS)),
        f"bins of width {WIDTH}": (
            partial(plain_bins, t, y, None),
            partial(ours, binned_information, t, y, binned_information.Config(width=WIDTH)),
        ),
        f"{BINS} bins": (
            partial(plain_bins, t, y, BINS),
            partial(ours, binned_information, t, y, binned_information.Config(bins=BINS)),
        ),
    }
    rows, details = [], {}
    for kind, (plain, own) in loops.items():
        values, other = own(), plain()
        reference = plain_kernels(t.double(), y) if kind == "kernels" else other
        if off(values, reference) > (1e-6 if kind == "kernels" else 1e-12):
            sys.exit(f"error: {kind}: {values}, not {reference}: nothing is timed")
        details[kind] = {"I(T;X), I(T;Y), bits": values, "plain is off by": off(other, reference)}
        details[kind]["ours is off by"] = off(values, reference)
        found = in_turn({"plain": plain, "ours": own}, rounds, t.device, warm_up=False)
        aim: dict = {"goal": 3 if kind == "kernels" else 10}
        if kind == "kernels" and name == NEAR:
            product = min(half_of_pairs(t) for _ in range(2))
            aim["limit"] = short(statistics.median(found["plain"].seconds) / product)
            aim["why"] = "the published form over the float64 product of half of all pairs"
        about = f"information by {kind}, {name}, {len(t):,} x {t.shape[1]:,}"
        rows.append(
            row(about, found["ours"], "as published", found["plain"], unit="s", scale=1, **aim)
        )
    return rows, details


def half_of_pairs(t: Tensor) -> float:
    """Seconds of the product that 1e-6 bit asks for: once for each pair, in float64."""
    t = t.double()
    return seconds(lambda: t[: len(t) // 2] @ t.T, t.device)


def off(a: dict, b: dict) -> float:
    return max(abs(p - q) for end in a for p, q in zip(a[end], b[end], strict=True))


def widest(y: Tensor) -> dict:
    """MiB beyond the layer's own, of Gaussian noise, where all is read and all pairs are far."""
    t = torch.randn(len(y), WIDEST, device=y.device)
    width = binned_information.Config(width=WIDTH)
    loops = {
        "kernels": partial(ours, kde_information, t, y, KERNELS),
        "bins": partial(ours, binned_information, t, y, width),
    }
    return {name: peak_mib(loop, t.device) for name, loop in loops.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    device = torch.device(given.device)
    torch.set_num_threads(1)
    test = open_split("mnist", "test", {"method": "mnist"}, data_root())
    y = test.labels[: given.samples].to(device)
    rows, details = [], {"rounds": given.rounds, "numpy": np.__version__}
    for name, t in layers(test.images[: given.samples].float() / 255).items():
        lines, details[name] = compared(name, t.to(device), y, given.rounds)
        rows += lines
    details[f"MiB above the layer's own, {WIDEST:,} neurons"] = widest(y)
    keep(rows, details, device, given.out)


if __name__ == "__main__":
    main()
