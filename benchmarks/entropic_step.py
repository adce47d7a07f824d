"""What a step of entropic retraining costs, beside a plain step and beside a newcomer's loop.

    python -m benchmarks.entropic_step [rounds]

LeNet-5, batches of 4, Adam, float32; on the first GPU, or on one CPU thread. The three loops take
turns, so that whatever else the machine does meets all of them. First the losses of 100 steps from
the same weights and images must agree to 1e-5, relatively, and the mean loss of a whole pass in
the loop's own order to 1e-4: by then rounding has had time to grow.

newcomer: as PyTorch's tutorials write it. torchvision's MNIST (a PIL image and ToTensor for every
item) in a DataLoader, forward hooks on every activation, E of each layer by its formula,
torch.optim.Adam, ``loss.item()`` after every step. ``tensors``: the same with all images as one
tensor in memory.
"""

import json
import statistics
import sys
import time
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision.datasets import MNIST
from torchvision.transforms import ToTensor

from benchmarks._timing import hardware, spread
from robustinfo.core import registry
from robustinfo.models import lenet5
from robustinfo.training import loop
from robustinfo.training.step import cpu_flags, cuda_graphed, optimizer_of, stepper

BATCH, RATE, FACTOR, FLOW = 4, 0.0009, 1.65, 6.0
LOSS = {"method": "cross_entropy"}
ENTRIES = {
    "plain": {"method": "standard", "loss": LOSS},
    "entropic": {"method": "entropic", "loss": LOSS, "weight": 1.0, "factor": FACTOR},
}


def network(device: torch.device) -> nn.Module:
    torch.manual_seed(0)
    return lenet5.build((1, 28, 28), 10, config=lenet5.Config()).to(device)


class Items(MNIST):
    """torchvision's MNIST with our images: its ``__getitem__``, without the download."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.data, self.targets = images[:, 0], labels
        self.transform, self.target_transform = ToTensor(), None


def newcomer(dataset: Dataset, device: torch.device) -> list[float]:
    """One pass over the images in their order; the loss of every step."""
    model, outputs = network(device), {}

    def keep(name: str) -> None:
        hook = lambda module, given, out: outputs.__setitem__(name, out.flatten(1))  # noqa: E731
        getattr(model, name).register_forward_hook(hook)

    for name in model.activations[:-1]:  # the last is the softmax
        keep(name)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    losses = []
    for x, y in DataLoader(dataset, batch_size=BATCH):
        x, y = x.to(device), y.to(device)
        logits = model(x)
        layers = [*outputs.values(), logits.softmax(1)]
        entropies = [-(h * torch.log(h.clamp(min=1e-12))).sum(1).mean() for h in layers]
        flow = sum(a - b for a, b in pairwise(entropies)) / (len(entropies) - 1)
        loss = F.cross_entropy(logits, y) + (flow - FACTOR * FLOW) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


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


def main(rounds: int = 7, steps: int = 1000) -> None:
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(256, (BATCH * steps, 1, 28, 28), dtype=torch.uint8, generator=draw)
    labels = torch.randint(10, (BATCH * steps,), generator=draw)

    first = slice(100 * BATCH)
    pairs = zip(
        newcomer(Items(images[first], labels[first]), device),
        curve(images[first], labels[first], device),
        strict=True,
    )
    apart = max(abs(a - b) / abs(a) for a, b in pairs)
    if apart > 1e-5:
        sys.exit(f"error: the losses of 100 steps differ by {apart:.2g}: nothing is timed")

    data = loop.Images(images.to(device), labels.to(device))
    order = torch.randperm(len(labels), generator=torch.Generator(device).manual_seed(0))
    whole = statistics.fmean(newcomer(Items(images[order], labels[order]), device))
    none = loop.Images(images[:0], labels[:0])
    epoch = ours("entropic", data, none, device)
    if abs(epoch - whole) > 1e-4 * whole:
        sys.exit(f"error: the mean loss of {steps} steps is {epoch}, not {whole}: nothing is timed")
    loops = {
        "newcomer": lambda: newcomer(Items(images, labels), device),
        "tensors": lambda: newcomer(TensorDataset(images.float() / 255, labels), device),
        "plain": lambda: ours("plain", data, none, device),
        "entropic": lambda: ours("entropic", data, none, device),
    }
    times: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(rounds + 1):
        for name, one in loops.items():
            start = time.perf_counter()
            one()
            times[name].append((time.perf_counter() - start) / steps * 1e6)
    times = {name: values[1:] for name, values in times.items()}  # the first round warms up

    def ratio(one: str, other: str) -> list[float]:
        return spread([a / b for a, b in zip(times[one], times[other], strict=True)], 3)

    # Medians over the rounds; of ratios, round by round: median, least, most.
    found = {
        "device": hardware(device),
        "torch": torch.__version__,
        "largest relative difference of 100 losses": apart,
        "microseconds per step (median)": {
            n: round(statistics.median(v)) for n, v in times.items()
        },
        "entropic / plain": ratio("entropic", "plain"),
        "newcomer / entropic": ratio("newcomer", "entropic"),
        "tensors / entropic": ratio("tensors", "entropic"),
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
