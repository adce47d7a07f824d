"""What the regulariser of IB-RAR and its channel mask cost, beside the plain way of writing them.

    python -m benchmarks.nhsic [--rounds 7] [--device cpu] [--file FILE]

The regulariser: the two sums of nHSIC and the gradient that reaches every layer, for 100 images and
layers of the sizes of VGG-16's on CIFAR-10 (five blocks after their pooling, two fully connected
ones): activations of random weights on the first test images, from the prepared data
(ROBUSTINFO_DATA or ``data``). The mask: nHSIC(f_c, Y) of the last block's 512 channels on the first
1,000 test images, before the last pooling (2 x 2 pixels) and after it (one). One CPU thread, or a
GPU. The loops take turns, so that whatever else the machine does meets all of them, and on a CPU
the time is the processor's. First the values must agree with the plain form in float64: sums within
1e-4, gradients within 1e-3 (both relative), channels within 1e-3 of a value.

plain: centring by two products with H, torch.inverse, a kernel and an inverse for every layer (or
channel) and for the inputs and labels once. published: the same with one call per pair, in which
the inputs' or labels' kernel and inverse are computed again for every layer (or channel), and the
layer's twice, as in published code. Of the loops over channels a part is timed and scaled up.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.vgg import cfgs, make_layers

from benchmarks._timing import header, seconds, spread, write
from robustinfo.datasets._prepared import data_root, open_split
from robustinfo.maths.channel_mask import relevance
from robustinfo.maths.hsic import nhsic, projection
from robustinfo.maths.kernels import gaussian, same_label

IMAGES, MASK_IMAGES, PART, CLASSES = 100, 1000, 4, 10
HIDDEN = 512  # of the fully connected layers, as VGG-16 for CIFAR-10 mostly has
ALPHA, BETA, SIGMA = 0.008, 0.08, 5.0


def activations(x: Tensor) -> tuple[list[Tensor], Tensor]:
    """Each layer, (n, d), and the last block before its pooling, (n, 512, 2, 2)."""
    torch.manual_seed(0)
    features = make_layers(cfgs["D"], batch_norm=True).to(x.device)
    found = []
    with torch.no_grad():
        for layer in features:
            before, x = x, layer(x)
            if isinstance(layer, nn.MaxPool2d):
                found.append(x.flatten(1))
        for _ in range(2):
            x = nn.Linear(x.flatten(1).shape[1], HIDDEN, device=x.device)(x.flatten(1)).relu()
            found.append(x)
    return found, before


def plain_projection(t: Tensor, labels: bool = False) -> Tensor:
    m = len(t)
    if labels:
        kernel = t @ t.T
    else:
        norms = (t * t).sum(1)
        squared = norms[:, None] + norms[None] - 2 * t @ t.T
        kernel = torch.exp(-squared.abs() / (2 * SIGMA**2 * t.shape[1]))
    eye = torch.eye(m, dtype=t.dtype, device=t.device)
    h = eye - 1 / m
    kernel = h @ kernel @ h
    return kernel @ torch.inverse(kernel + 1e-5 * m * eye)


def plain(x: Tensor, hot: Tensor, layers: list[Tensor]) -> Tensor:
    of_input, of_label = plain_projection(x), plain_projection(hot, labels=True)
    total = x.new_zeros(())
    for t in layers:
        r = plain_projection(t)
        total = total + ALPHA * (r * of_input.T).sum() - BETA * (r * of_label.T).sum()
    return total


def published(x: Tensor, hot: Tensor, layers: list[Tensor]) -> Tensor:
    total = x.new_zeros(())
    for t in layers:
        total = total + ALPHA * (plain_projection(x) * plain_projection(t).T).sum()
        of_label = plain_projection(hot, labels=True)
        total = total - BETA * (of_label * plain_projection(t).T).sum()
    return total


def ours(x: Tensor, hot: Tensor, layers: list[Tensor]) -> Tensor:
    """As ``defences/ib_rar.py`` does it."""
    of_input, of_label = projection(gaussian(x, SIGMA)), projection(same_label(hot.argmax(1)))
    r = projection(torch.stack([gaussian(t, SIGMA) for t in layers])).sum(0)
    return ALPHA * nhsic(r, of_input) - BETA * nhsic(r, of_label)


def with_gradient(loop: Callable, *given: Tensor, layers: list[Tensor]) -> tuple[Tensor, ...]:
    leaves = [t.detach().requires_grad_() for t in layers]
    value = loop(*given, leaves)
    return value, *torch.autograd.grad(value, leaves)


def plain_channels(f: Tensor, hot: Tensor, *, again: bool) -> Tensor:
    """again: the labels' side for every channel, as published; else once."""
    of_label = plain_projection(hot, labels=True)
    found = []
    for c in range(f.shape[1]):
        if again:
            of_label = plain_projection(hot, labels=True)
        found.append((plain_projection(f[:, c].flatten(1)) * of_label.T).sum())
    return torch.stack(found)


def regulariser(x: Tensor, hot: Tensor, rounds: int) -> dict:
    layers, _ = activations(x)
    x = x.flatten(1)
    doubles = [t.double() for t in layers]
    exact = with_gradient(plain, x.double(), hot.double(), layers=doubles)
    loops = {
        loop.__name__: lambda loop=loop: with_gradient(loop, x, hot, layers=layers)
        for loop in (published, plain, ours)
    }
    off = {}
    for name, run in loops.items():
        found = run()
        off[name] = [
            float(f"{max(abs((a - b).norm() / b.norm()).item() for a, b in pairs):.1e}")
            for pairs in (
                [(found[0], exact[0])],
                list(zip(found[1:], exact[1:], strict=True)),
            )
        ]
    if off["ours"][0] > 1e-4 or off["ours"][1] > 1e-3:
        sys.exit(f"error: ours is off by {off['ours']}: nothing is timed")
    about = {"features of each layer": [t.shape[1] for t in layers]}
    about["relative error of the value, of the worst layer's gradient"] = off
    return about | timed(loops, {name: 1 for name in loops}, rounds, x.device)


def mask(f: Tensor, hot: Tensor, rounds: int) -> dict:
    channels, y, part = f.shape[1], hot.argmax(1), f[:, :PART]
    loops = {
        "published": lambda: plain_channels(part, hot, again=True),
        "plain": lambda: plain_channels(part, hot, again=False),
        "ours": lambda: relevance(f, y, classes=CLASSES),
    }
    exact = plain_channels(part.double(), hot.double(), again=False)
    off = {name: (run()[:PART] - exact).abs().max().item() for name, run in loops.items()}
    if off["ours"] > 1e-3:
        sys.exit(f"error: ours is off by {off['ours']}: nothing is timed")
    scale = {"published": channels / PART, "plain": channels / PART, "ours": 1}
    about = {"(images, channels, h, w)": list(f.shape)}
    about["greatest error of a value"] = {name: float(f"{v:.1e}") for name, v in off.items()}
    return about | timed(loops, scale, rounds, f.device)


def timed(loops: dict[str, Callable], scale: dict, rounds: int, device: torch.device) -> dict:
    times: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(rounds):
        for name, run in loops.items():
            times[name].append(seconds(run, device) * scale[name] * 1e3)
    ratios = {}
    for name in ("published", "plain"):
        pairs = zip(times[name], times["ours"], strict=True)
        ratios[f"{name} / ours"] = spread([a / b for a, b in pairs], 2)
    return {"milliseconds": {name: spread(values, 1) for name, values in times.items()}} | ratios


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    device = torch.device(given.device)
    torch.set_num_threads(1)
    test = open_split("cifar10", "test", {"method": "cifar10"}, data_root())
    x = test.images[:MASK_IMAGES].to(device).float() / 255
    hot = F.one_hot(test.labels[:MASK_IMAGES].to(device), CLASSES).float()
    _, maps = activations(x)
    found = header(device, given.rounds) | {
        "regulariser, value and gradient": regulariser(x[:IMAGES], hot[:IMAGES], given.rounds),
        "mask, before the last pooling": mask(maps, hot, given.rounds),
        "mask, after it": mask(F.max_pool2d(maps, 2), hot, given.rounds),
    }
    write(found, given.file)


if __name__ == "__main__":
    main()
