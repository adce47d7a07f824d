"""What the estimators of mutual information cost, beside the published way of writing them.

    python -m benchmarks.mutual_information [--rounds 5] [--device cpu] [--file FILE]

5,000 samples of 6,272 neurons: convolutions (32 channels, 14 x 14) of a small network on the first
test images of MNIST, from the prepared data (ROBUSTINFO_DATA or ``data``), Gaussian noise, and a
constant, where nothing can be left out; one CPU thread, or a GPU. The loops take turns, so that
whatever else the machine does meets all of them, and on a CPU the time is the processor's, which
runs only while the process does. Before anything is timed the values must agree: kernels within
1e-6 bit of the plain form in double precision, bins within 1e-12. Memory: by how much a loop, alone
in a new process, raises the most that the process ever held (ru_maxrss) with the layer in place.
The numbers are printed, and written to ``--file``.

plain: as arXiv 1706.00476 and 1703.00810 were published. Kernels: a float32 matrix of all pairwise
distances for each bound, and one for each bound and class. Bins: floor, integers, rows viewed as
one void each, np.unique with inverse and counts, for the whole and for each class.
"""

import argparse
import math
import resource
import sys
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks._timing import header, seconds, spread, write
from robustinfo.core.settings import Settings
from robustinfo.datasets._prepared import data_root, open_split
from robustinfo.measures import binned_information, kde_information

SAMPLES, CHANNELS, BATCH = 5000, 32, 128
WIDEST = 163_840  # neurons of the widest probe of WRN-28-10
S2, WIDTH, BINS = 0.1, 0.5, 30
KERNELS = kde_information.Config(noise_variance=S2)


def layers() -> dict[str, Tensor]:
    """Untrained, and after one pass over a third of the training images."""
    torch.manual_seed(0)
    first = nn.Conv2d(1, CHANNELS, 3, padding=1, stride=2)  # (n, 32, 14, 14)
    second = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
    last = (nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(CHANNELS * 49, 10))
    model = nn.Sequential(first, nn.ReLU(), second, *last)
    test, train = (
        open_split("mnist", part, {"method": "mnist"}, data_root()) for part in ("test", "train")
    )
    x = test.images[:SAMPLES].float() / 255
    with torch.no_grad():
        found = {
            "convolution 1, untrained": first(x).flatten(1),
            "convolution 2, untrained": second(first(x).relu()).flatten(1),
        }
    optimizer = torch.optim.Adam(model.parameters())
    for at in range(0, 20_000, BATCH):
        batch = slice(at, at + BATCH)
        loss = F.cross_entropy(model(train.images[batch].float() / 255), train.labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        found["convolution 1, trained"] = first(x).flatten(1)
        found["convolution 1 after ReLU, trained"] = first(x).relu().flatten(1)
    noise = torch.randn(SAMPLES, CHANNELS * 14 * 14)
    return found | {"Gaussian": noise, "constant": torch.ones_like(noise)}


def plain_kernels(t: Tensor, y: Tensor) -> dict[str, tuple[float, float]]:
    def entropy(of: Tensor, variance: float) -> float:
        norms = (of**2).sum(1, keepdim=True)
        distances = norms + norms.T - 2 * of @ of.T
        sums = torch.logsumexp(-distances / (2 * variance), 1)
        return math.log2(len(of)) - sums.mean().item() / math.log(2)

    found = {}
    for bound, variance in {"_upper": S2, "_lower": 4 * S2}.items():
        whole = entropy(t, variance)
        within = [
            (y == c).double().mean().item() * entropy(t[y == c], variance) for c in y.unique()
        ]
        found[bound] = (whole, whole - sum(within))
    return found


def plain_bins(t: Tensor, y: Tensor, bins: int | None) -> dict[str, tuple[float, float]]:
    h, labels = t.cpu().numpy(), y.cpu().numpy()

    def entropy(cells: np.ndarray) -> float:
        rows = np.ascontiguousarray(cells)
        rows = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1])))
        counts = np.unique(rows, return_inverse=True, return_counts=True)[2]
        p = counts / counts.sum()
        return -np.sum(p * np.log2(p))

    if bins is None:
        cells = np.floor(h / WIDTH).astype(int)
    else:  # in double precision, where a value on an edge has the same cell as ours
        low, high = float(h.min()), float(h.max())
        width = (high - low) / bins * (1 + 1e-9)
        cells = np.floor((h.astype(np.float64) - low) / width).astype(int)
    whole = entropy(cells)
    within = sum(np.mean(labels == c) * entropy(cells[labels == c]) for c in np.unique(labels))
    return {"": (whole, whole - within)}


def ours(measure: ModuleType, t: Tensor, y: Tensor, config: Settings) -> dict:
    found = measure.estimate(t, y, config=config)
    return {
        end: tuple(found[f"information_{of}_bits{end}"].value for of in ("input", "label"))
        for end in ("_upper", "_lower", "")
        if f"information_input_bits{end}" in found
    }


def measured(t: Tensor, y: Tensor, rounds: int) -> dict:
    loops = {
        "kernels": (partial(plain_kernels, t, y), partial(ours, kde_information, t, y, KERNELS)),
        f"width {WIDTH}": (
            partial(plain_bins, t, y, None),
            partial(ours, binned_information, t, y, binned_information.Config(width=WIDTH)),
        ),
        f"{BINS} bins": (
            partial(plain_bins, t, y, BINS),
            partial(ours, binned_information, t, y, binned_information.Config(bins=BINS)),
        ),
    }
    found = {}
    for name, (plain, own) in loops.items():
        values, other = own(), plain()
        reference = plain_kernels(t.double(), y) if name == "kernels" else other
        if off(values, reference) > (1e-6 if name == "kernels" else 1e-12):
            sys.exit(f"error: {name}: {values}, not {reference}: nothing is timed")
        found[name] = {"I(T;X), I(T;Y), bits": values, "plain is off by": off(other, reference)}
        found[name]["ours is off by"] = off(values, reference)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in loops}
    for _ in range(rounds):
        for name, both in loops.items():
            times[name].append(tuple(seconds(loop, t.device) for loop in both))
    for name, both in times.items():
        found[name] |= {
            "plain, seconds": spread([a for a, _ in both], 3),
            "ours, seconds": spread([b for _, b in both], 3),
            "plain / ours": spread([a / b for a, b in both], 2),
        }
    return found


def off(a: dict, b: dict) -> float:
    return max(abs(p - q) for end in a for p, q in zip(a[end], b[end], strict=True))


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def extra_mib(loop: str, d: int) -> float:
    """Of one loop on Gaussian data; both take the same whatever the values are, or less."""
    torch.set_num_threads(1)
    y = torch.arange(SAMPLES) % 10
    warm = torch.randn(100, 20)
    relative = kde_information.Config(relative_noise_variance=1.0)  # where every pair is near
    width = binned_information.Config(width=WIDTH)
    run = {
        "kernels, plain": plain_kernels,
        "kernels, ours": partial(ours, kde_information, config=KERNELS),
        "kernels, ours, every pair near": partial(ours, kde_information, config=relative),
        "bins, plain": partial(plain_bins, bins=None),
        "bins, ours": partial(ours, binned_information, config=width),
    }[loop]
    run(t=warm, y=y[:100])
    t = torch.randn(SAMPLES, d)
    before = peak_mib()
    run(t=t, y=y)
    return round(peak_mib() - before)


def memory() -> dict:
    found = {}
    for d in (CHANNELS * 14 * 14, WIDEST):
        loops = ["kernels, ours", "bins, ours"]
        if d < WIDEST:
            loops += ["kernels, ours, every pair near", "kernels, plain", "bins, plain"]
        for loop in loops:
            with get_context("spawn").Pool(1) as alone:
                found[f"{loop}, d = {d}"] = alone.apply(extra_mib, (loop, d))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    device = torch.device(given.device)
    torch.set_num_threads(1)
    y = open_split("mnist", "test", {"method": "mnist"}, data_root()).labels[:SAMPLES].to(device)
    found = header(device, given.rounds, numpy=np.__version__)
    if device.type == "cpu":
        found["extra memory, MiB"] = memory()
    for name, t in layers().items():
        found[name] = measured(t.to(device), y, given.rounds)
    write(found, given.file)


if __name__ == "__main__":
    main()
