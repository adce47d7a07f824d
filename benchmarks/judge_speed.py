"""What the judge costs on one network: seconds and peak memory, by protocol.

    python -m benchmarks.judge_speed [--protocol tiny] [--width 8] [--device cpu] [--out FOLDER]

A ResNet-18 on CIFAR-10, from the prepared data (ROBUSTINFO_DATA or ``data``), trained plainly for
one epoch on up to 10,000 images, in l-infinity 8/255. It has no peer, so no row: the numbers are
details of speed.json.
"""

import argparse
from functools import partial
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from benchmarks._machine import peak_mib, seconds
from benchmarks._timing import keep, short
from robustinfo.core import registry
from robustinfo.core.batches import to_float
from robustinfo.datasets._prepared import data_root, open_split
from robustinfo.evaluation.by_protocol import evaluate_by_protocol
from robustinfo.evaluation.result import Result
from robustinfo.evaluation.sizes import BY_NAME, SIZES
from robustinfo.evaluation.threats import Ball
from robustinfo.models import resnet18
from robustinfo.training import loop

TRAINED, EPSILON = 10_000, 8 / 255
ENTRY = {"method": "standard", "loss": {"method": "cross_entropy"}}


def network(width: int, device: torch.device) -> nn.Module:
    train = open_split("cifar10", "train", {"method": "cifar10"}, data_root())
    torch.manual_seed(0)
    model = resnet18.build((3, 32, 32), 10, config=resnet18.Config(width=width)).to(device)
    data = loop.Images(train.images[:TRAINED].clone(), train.labels[:TRAINED].clone()).to(device)
    config = loop.Config(epochs=1, batch_size=128, learning_rate=0.002, snapshot_every=1)
    none = loop.Images(data.images[:0], data.labels[:0])
    terms, draw = registry.get("defences", ENTRY), Generator(device).manual_seed(0)
    for _ in loop.train(model, data, none, terms, config=config, generator=draw):
        pass
    return model.eval()


def judged(model: nn.Module, x: Tensor, y: Tensor, protocol: str) -> Result:
    size = BY_NAME[protocol]
    return evaluate_by_protocol(
        size,
        model,
        x,
        y[: size.images],
        classes=10,
        ball=Ball(norm="linf", epsilon=EPSILON),
        device=x.device,
        progress=lambda text: None,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--protocol", default="tiny", choices=BY_NAME)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    device = torch.device(given.device)
    torch.set_num_threads(1)
    model = network(given.width, device)
    test = open_split("cifar10", "test", {"method": "cifar10"}, data_root())
    most = max(size.images for size in SIZES)
    x, y = to_float(test.images[:most], device), test.labels[:most].to(device)
    taken, said = [], []

    def once() -> None:
        run = partial(judged, model, x, y, given.protocol)
        taken.append(seconds(lambda: said.append(run()), device))

    memory = peak_mib(once, device)
    details = {
        "protocol": given.protocol,
        "filters of ResNet-18": given.width,
        "images": said[0].n,
        "verdict": said[0].verdict,
        "seconds": short(taken[0]),
        "peak memory, MiB": memory,
    }
    keep([], details, device, given.out)


if __name__ == "__main__":
    main()
