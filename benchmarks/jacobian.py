"""What the spectral norm of the logits' Jacobian costs per image, beside the plain ways of it.

    python -m benchmarks.jacobian [--rounds 7] [--images 64] [--device cpu] [--out FOLDER]

Of every image the spectral norm of J = d f(x) / d x and the change J delta, as the margins of arXiv
2011.13538 (table 4) ask for, with random weights on the first test images of the prepared data
(ROBUSTINFO_DATA or ``data``): LeNet-5 on MNIST, ResNet-18 of two widths on CIFAR-10. One CPU
thread, or a GPU. The loops take turns, so that whatever else the machine does meets all of them,
and on a CPU the time is the processor's. First the values must agree within 1e-6, relatively: in
float64 on every image; in float32 on all but those where an edge of a ReLU lies within rounding,
which are counted and may be one in 32.

plain: an image at a time, torch.autograd.functional.jacobian and torch.linalg.svdvals, with the
network in torch's own memory format and with channels last, as the pipeline loads its networks.
func: torch.func.vmap of jacrev on 64 images at once, and svdvals; it and ours have channels last.
"""

import argparse
import copy
import sys
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks._timing import Row, in_turn, keep, row
from robustinfo.attacks._fused_batchnorm import fold_batchnorm
from robustinfo.datasets._prepared import data_root, open_split
from robustinfo.maths.jacobian import linearised
from robustinfo.models import lenet5, resnet18

NETWORKS = {
    "LeNet-5": ("mnist", lenet5, lenet5.Config()),
    "ResNet-18, 4 to 32 filters": ("cifar10", resnet18, resnet18.Config(width=4)),
    "ResNet-18, 16 to 128 filters": ("cifar10", resnet18, resnet18.Config(width=16)),
}
TOGETHER = 64  # images at once of func
CLOSE, EDGES = 1e-6, 1 / 32
PEERS = {
    "plain": "autograd.functional, image by image",
    "plain, channels last": "the same, channels last",
    "func": "torch.func",
}
GOALS = {"plain": 5}

Tensors = tuple[Tensor, Tensor]  # norms (n,), changes (n, K)


def plain(model: nn.Module, x: Tensor, delta: Tensor) -> Tensors:
    norms, changes = [], []
    for image, d in zip(x, delta, strict=True):
        rows = torch.autograd.functional.jacobian(lambda t: model(t[None])[0], image).flatten(1)
        norms.append(torch.linalg.svdvals(rows)[0])
        changes.append(rows @ d.flatten())
    return torch.stack(norms), torch.stack(changes)


def func(model: nn.Module, x: Tensor, delta: Tensor) -> Tensors:
    rows_of = torch.func.vmap(torch.func.jacrev(lambda t: model(t[None])[0]))
    norms, changes = [], []
    for images, d in zip(x.split(TOGETHER), delta.split(TOGETHER), strict=True):
        rows = rows_of(images).flatten(2)
        norms.append(torch.linalg.svdvals(rows)[:, 0])
        changes.append((rows @ d.flatten(1)[:, :, None]).squeeze(2))
    return torch.cat(norms), torch.cat(changes)


def ours(model: nn.Module, x: Tensor, delta: Tensor) -> Tensors:
    return linearised(fold_batchnorm(model, x), x, delta)[1:]


def apart(found: Tensors, expected: Tensors, delta: Tensor) -> Tensor:
    """The difference of the norms, or of the changes if greater, of every image: (n,).

    Relative to |J| and to |J| |delta|, which the change itself may lie far below.
    """
    norm = (found[0] - expected[0]).abs() / expected[0]
    change = (found[1] - expected[1]).norm(dim=1) / delta.flatten(1).norm(dim=1) / expected[0]
    return torch.maximum(norm, change)


def agreement(model: nn.Module, x: Tensor, delta: Tensor) -> dict:
    """How far ours is from plain; ends the program if that is too far."""
    double = copy.deepcopy(model).double(), x.double(), delta.double()
    exact = apart(ours(*double), plain(*double), double[2]).max().item()
    single = apart(ours(model, x, delta), plain(model, x, delta), delta)
    edges = single > CLOSE
    if exact > CLOSE or edges.double().mean() > EDGES:
        sys.exit(f"error: ours is off by {exact:.1e}, on {edges.sum()} images: nothing is timed")
    return {
        "greatest relative difference, float64": float(f"{exact:.1e}"),
        "float32, but for images at an edge": float(f"{single[~edges].max():.1e}"),
        "images at an edge": int(edges.sum()),
    }


def compared(name: str, images: int, rounds: int, device: torch.device) -> tuple[list[Row], dict]:
    dataset, architecture, config = NETWORKS[name]
    test = open_split(dataset, "test", {"method": dataset}, data_root())
    x = test.images[:images].to(device).float() / 255
    torch.manual_seed(0)
    rowwise = architecture.build(tuple(x.shape[1:]), 10, config=config).to(device)
    rowwise.eval().requires_grad_(False)
    delta = 0.01 * torch.randn_like(x)
    last = copy.deepcopy(rowwise).to(memory_format=torch.channels_last)
    about = {"(images, channels, h, w)": list(x.shape)} | agreement(last, x, delta)
    loops = {
        "plain": partial(plain, rowwise, x, delta),
        "plain, channels last": partial(plain, last, x, delta),
        "func": partial(func, last, x, delta),
        "ours": partial(ours, last, x, delta),
    }
    found = in_turn(loops, rounds, device)
    kernel = f"spectral norm of the Jacobian, {name}"
    per_image = {"unit": "ms per image", "scale": 1e3 / len(x)}
    rows = [
        row(kernel, found["ours"], PEERS[peer], found[peer], goal=GOALS.get(peer), **per_image)
        for peer in PEERS
    ]
    return rows, about


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    device = torch.device(given.device)
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    rows, details = [], {"rounds": given.rounds}
    for name in NETWORKS:
        lines, details[name] = compared(name, given.images, given.rounds, device)
        rows += lines
    keep(rows, details, device, given.out)


if __name__ == "__main__":
    main()
