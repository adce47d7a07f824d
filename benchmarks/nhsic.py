"""What the regulariser of IB-RAR and its channel mask cost, beside the plain way of writing them.

    python -m benchmarks.nhsic [--rounds 7] [--device cpu] [--out FOLDER]

The regulariser: the two sums of nHSIC and the gradient that reaches every layer, for 100 images and
layers of the sizes of VGG-16's on CIFAR-10 (five blocks after their pooling, two fully connected
ones): activations of random weights on the first test images, from the prepared data
(ROBUSTINFO_DATA or ``data``). The mask: nHSIC(f_c, Y) of the last block's 512 channels on the first
1,000 test images, before the last pooling (2 x 2 pixels) and after it (one). One CPU thread, or a
GPU. The loops take turns, so that whatever else the machine does meets all of them, and on a CPU
the time is the processor's. First the values must agree with the plain form in float64: sums within
1e-4, gradients within 1e-3 (both relative), channels within 1e-3 of a value.

plain, published: _plain_nhsic.py. Of the loops over channels a part is timed and scaled up.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.vgg import cfgs, make_layers

from benchmarks._plain_nhsic import ALPHA, BETA, SIGMA, plain, plain_channels, published
from benchmarks._timing import Row, Timed, in_turn, keep, row
from robustinfo.datasets._prepared import data_root, open_split
from robustinfo.maths.channel_mask import relevance
from robustinfo.maths.hsic import nhsic, projection
from robustinfo.maths.kernels import gaussian, same_label

IMAGES, MASK_IMAGES, PART, CLASSES = 100, 1000, 4, 10
HIDDEN = 512  # of the fully connected layers, as VGG-16 for CIFAR-10 mostly has


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


def ours(x: Tensor, hot: Tensor, layers: list[Tensor]) -> Tensor:
    """As ``defences/ib_rar.py`` does it."""
    of_input, of_label = projection(gaussian(x, SIGMA)), projection(same_label(hot.argmax(1)))
    r = projection(torch.stack([gaussian(t, SIGMA) for t in layers])).sum(0)
    return ALPHA * nhsic(r, of_input) - BETA * nhsic(r, of_label)


def with_gradient(loop: Callable, *given: Tensor, layers: list[Tensor]) -> tuple[Tensor, ...]:
    leaves = [t.detach().requires_grad_() for t in layers]
    value = loop(*given, leaves)
    return value, *torch.autograd.grad(value, leaves)


def regulariser(x: Tensor, hot: Tensor, rounds: int) -> tuple[list[Row], dict]:
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
    kernel = f"regulariser of IB-RAR with its gradient, {len(x)} images, {len(layers)} layers"
    return beside(kernel, loops, {name: 1 for name in loops}, rounds, x.device), about


def mask(f: Tensor, hot: Tensor, rounds: int) -> tuple[list[Row], dict]:
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
    kernel = "channel mask of IB-RAR, " + " x ".join(map(str, f.shape))
    return beside(kernel, loops, scale, rounds, f.device), about


def beside(
    kernel: str, loops: dict[str, Callable], scale: dict, rounds: int, device: torch.device
) -> list[Row]:
    """scale: of each loop, how much of the work it does goes into all of it."""
    found = {
        name: Timed([value * scale[name] for value in timed.seconds], timed.mib)
        for name, timed in in_turn(loops, rounds, device).items()
    }
    return [
        row(kernel, found["ours"], peer, found[name], unit="ms", scale=1e3)
        for name, peer in {"published": "as published", "plain": "the plain form"}.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    device = torch.device(given.device)
    torch.set_num_threads(1)
    test = open_split("cifar10", "test", {"method": "cifar10"}, data_root())
    x = test.images[:MASK_IMAGES].to(device).float() / 255
    hot = F.one_hot(test.labels[:MASK_IMAGES].to(device), CLASSES).float()
    _, maps = activations(x)
    parts = {
        "regulariser": regulariser(x[:IMAGES], hot[:IMAGES], given.rounds),
        "mask, before the last pooling": mask(maps, hot, given.rounds),
        "mask, after it": mask(F.max_pool2d(maps, 2), hot, given.rounds),
    }
    details = {name: about for name, (_, about) in parts.items()} | {"rounds": given.rounds}
    keep([one for rows, _ in parts.values() for one in rows], details, device, given.out)


if __name__ == "__main__":
    main()
