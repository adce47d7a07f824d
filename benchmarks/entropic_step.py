"""What a step of entropic retraining costs, beside a plain step and beside a newcomer's loop.

    python -m benchmarks.entropic_step [--rounds 5] [--steps 500] [--device cpu] [--out FOLDER]

LeNet-5, batches of 4, Adam, float32; on a GPU, or on one CPU thread. The three loops take
turns, so that whatever else the machine does meets all of them. First the losses of 100 steps from
the same weights and images must agree to 1e-5, relatively, and the mean loss of a whole pass in
the loop's own order to 1e-4: by then rounding has had time to grow.

newcomer: as PyTorch's tutorials write it (_newcomer.py). ``tensors``: the same with all images as
one tensor in memory.
"""

import argparse
import statistics
import sys
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from benchmarks._newcomer import BATCH, FACTOR, FLOW, RATE, Items, network, newcomer
from benchmarks._timing import in_turn, keep, row, short
from robustinfo.core import registry
from robustinfo.training import loop
from robustinfo.training.step import cpu_flags, cuda_graphed, optimizer_of, stepper

LOSS = {"method": "cross_entropy"}
ENTRIES = {
    "plain": {"method": "standard", "loss": LOSS},
    "entropic": {"method": "entropic", "loss": LOSS, "weight": 1.0, "factor": FACTOR},
}


def settings(**over: float) -> loop.Config:
    return loop.Config(
        epochs=1,
        batch_size=BATCH,
        learning_rate=RATE,
        snapshot_every=1,
        onednn=False,
        **over,
    )


def terms_of(entry: str, device: torch.device) -> partial:
    terms = registry.get("defences", ENTRIES[entry])
    state = {"pretrained_flow": torch.tensor(FLOW, device=device)}
    return partial(terms, state=state) if entry == "entropic" else terms


def ours(entry: str, data: loop.Images, none: loop.Images, device: torch.device) -> float:
    """A pass by the training loop of robustinfo, in the order that it draws; its mean loss."""
    generator = torch.Generator(device).manual_seed(0)
    *_, last = loop.train(
        network(device),
        data,
        none,
        terms_of(entry, device),
        config=settings(),
        generator=generator,
        same_steps=True,
    )
    return last.record["train/loss"]


def curve(images: Tensor, labels: Tensor, device: torch.device) -> list[float]:
    """The loss of every step, in the order of the images, by the steps of that loop."""
    model = network(device)
    optimizer = optimizer_of(model, settings(), capturable=device.type == "cuda")
    generator = torch.Generator(device)
    terms = terms_of("entropic", device)
    step = stepper(model, terms, optimizer, config=settings(), generator=generator)
    if device.type == "cuda":
        step = cuda_graphed(step, optimizer, BATCH)
    x, y = images.to(device).float() / 255, labels.to(device)
    with cpu_flags(onednn=False):
        pairs = zip(x.split(BATCH), y.split(BATCH), strict=True)
        return [step(a, b)["loss"].item() for a, b in pairs]


def checked(images: Tensor, labels: Tensor, device: torch.device) -> float:
    """How far the losses of 100 steps are apart; ends the program if they, or a pass's, are far."""
    first = slice(100 * BATCH)
    pairs = zip(
        newcomer(Items(images[first], labels[first]), device),
        curve(images[first], labels[first], device),
        strict=True,
    )
    apart = max(abs(a - b) / abs(a) for a, b in pairs)
    if apart > 1e-5:
        sys.exit(f"error: the losses of 100 steps differ by {apart:.2g}: nothing is timed")
    draw = torch.Generator(device).manual_seed(0)
    order = torch.randperm(len(labels), generator=draw, device=device).cpu()
    whole = statistics.fmean(newcomer(Items(images[order], labels[order]), device))
    data = loop.Images(images, labels).to(device)
    epoch = ours("entropic", data, loop.Images(data.images[:0], data.labels[:0]), device)
    if abs(epoch - whole) > 1e-4 * whole:
        sys.exit(f"error: the mean loss of all steps is {epoch}, not {whole}: nothing is timed")
    return apart


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    device, n = torch.device(given.device), BATCH * given.steps
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(256, (n, 1, 28, 28), dtype=torch.uint8, generator=draw)
    labels = torch.randint(10, (n,), generator=draw)
    details = {"rounds": given.rounds, "steps": given.steps}
    details["greatest relative difference of 100 losses"] = short(checked(images, labels, device))
    data = loop.Images(images, labels).to(device)
    none = loop.Images(data.images[:0], data.labels[:0])
    loops = {
        "newcomer": lambda: newcomer(Items(images, labels), device),
        "tensors": lambda: newcomer(TensorDataset(images.float() / 255, labels), device),
        "plain": lambda: ours("plain", data, none, device),
        "entropic": lambda: ours("entropic", data, none, device),
    }
    found = in_turn(loops, given.rounds, device)
    peers = {
        "newcomer": "a newcomer's loop",
        "tensors": "the same with all images as one tensor",
        "plain": "our step without the term",
    }
    rows = [
        row(
            f"step of entropic retraining, LeNet-5, {BATCH} images",
            found["entropic"],
            peer,
            found[name],
            unit="us",
            scale=1e6 / given.steps,
        )
        for name, peer in peers.items()
    ]
    keep(rows, details, device, given.out)


if __name__ == "__main__":
    main()
