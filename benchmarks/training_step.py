"""What a step of adversarial training by PGD costs, beside the same step on the network as it is.

    python -m benchmarks.training_step [--rounds 15] [--device cpu] [--out FOLDER]

LeNet-5 as the quickstart trains it (28 x 28 grey, 64 images, five steps of PGD, Adam), and
ResNet-18 of 6 and 8 filters, on a GPU of 64, on 32 x 32 colour; random images, one CPU thread or a
GPU. The loops take turns. First the weights after ten steps must agree to 1e-9, relatively, in
float64; in float32 the last digit of a gradient that is all but 0 decides its sign, and they part:
how far stands beside how far the plain step parts from itself where only the images' order in
memory is another.

plain: the step as it was before the attack had a folded copy: PGD climbs the network in eval mode.
limit: the plain step over its convolutions alone, those of the attack and of the update, each timed
by itself: what would be reached were all else free and no convolution quicker.
"""

import argparse
import copy
import statistics
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from benchmarks._machine import seconds
from benchmarks._timing import Row, in_turn, keep, row, short
from robustinfo.attacks._frozen import frozen, seeded
from robustinfo.core import registry
from robustinfo.maths.balls import projected, uniform
from robustinfo.models import lenet5, resnet18
from robustinfo.training.step import Config, Step, cpu_flags, optimizer_of, stepper

EPSILON, SIZE, STEPS, EQUAL, CLOSE = 0.15, 0.05, 5, 10, 1e-9
ENTRY = {
    "method": "adversarial",
    "loss": {"method": "cross_entropy"},
    "attack": {"norm": "linf", "epsilon": EPSILON, "step_size": SIZE, "steps": STEPS},
}
ADAM = Config(learning_rate=0.001)


def networks(device: torch.device) -> dict[str, tuple[nn.Module, Tensor]]:
    """Each with a batch of images, channels last."""
    torch.manual_seed(0)
    last = {"device": device, "memory_format": torch.channels_last}
    small = lenet5.build((1, 28, 28), 10, config=lenet5.Config())
    found = {"LeNet-5, 28 x 28": (small.to(**last), torch.rand(64, 1, 28, 28).to(**last))}
    for width, n in ((6, 64), (8, 64)) if device.type == "cpu" else ((64, 128),):
        large = resnet18.build((3, 32, 32), 10, config=resnet18.Config(width=width)).to(**last)
        x = torch.rand(n, 3, 32, 32).to(**last)
        found[f"ResNet-18 of {width} filters, 32 x 32"] = large, x
    return found


def plain(model: nn.Module, x: Tensor, y: Tensor, *, generator: Generator) -> dict[str, Tensor]:
    with frozen(model), seeded(x, generator):
        at = uniform(x, "linf", EPSILON).clamp(0, 1)
        for _ in range(STEPS):
            at = at.detach().clone().requires_grad_()
            loss = F.cross_entropy(model(at), y, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, at)
            at = projected(x, at.detach() + SIZE * gradient.sign(), "linf", EPSILON)
    return {"adversarial": F.cross_entropy(model(at), y)}


TERMS = {"plain": plain, "ours": registry.get("defences", ENTRY)}


def step_of(terms: Callable, model: nn.Module) -> Step:
    model.train()
    generator = Generator(next(model.parameters()).device).manual_seed(0)
    return stepper(model, terms, optimizer_of(model, ADAM), config=ADAM, generator=generator)


def apart(y: Tensor, *steps: tuple[Callable, nn.Module, Tensor]) -> float:
    """The relative distance of the weights after some steps of each of two, and of copies."""
    ends = []
    for terms, model, x in steps:
        twin = copy.deepcopy(model)
        step = step_of(terms, twin)
        for _ in range(EQUAL):
            step(x, y)
        ends.append(torch.cat([weight.detach().flatten() for weight in twin.parameters()]))
    return short(float((ends[0] - ends[1]).norm() / ends[0].norm()))


def convolutions(model: nn.Module, x: Tensor, device: torch.device) -> float:
    """Seconds of all convolutions of a plain step, each timed alone: the least of six."""
    seen: list[tuple[nn.Module, Tensor]] = []
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    hooks = [
        layer.register_forward_hook(lambda of, given, _: seen.append((of, given[0].detach())))
        for layer in layers
    ]
    model(x)
    for hook in hooks:
        hook.remove()
    total = 0.0
    for layer, given in seen:
        weight = layer.weight.detach()
        how = (layer.stride, layer.padding, layer.dilation, False, [0, 0], 1)
        out = layer(given).detach()
        bias = None if layer.bias is None else list(layer.bias.shape)
        forward = partial(F.conv2d, given, weight, None, layer.stride, layer.padding)
        backward = partial(torch.ops.aten.convolution_backward, out, given, weight, bias, *how)
        first = layer is layers[0]  # the update asks for no gradient of the images
        of_images, of_weights = [True, False, False], [not first, True, bias is not None]
        runs = {
            forward: STEPS + 1,
            partial(backward, of_images): STEPS,
            partial(backward, of_weights): 1,
        }
        with torch.no_grad():
            for run, count in runs.items():
                total += count * min(seconds(run, device) for _ in range(6))
    return total


def compared(name: str, model: nn.Module, x: Tensor, rounds: int) -> tuple[Row, dict]:
    y = torch.arange(len(x), device=x.device) % 10
    double, rowwise = (copy.deepcopy(model) for _ in range(2))
    exact = apart(y, *((terms, double.double(), x.double()) for terms in TERMS.values()))
    if exact > CLOSE:
        sys.exit(f"error: {name}: the weights differ by {exact:.1e}: nothing is timed")
    rowwise.to(memory_format=torch.contiguous_format)
    about = {
        "relative difference of the weights, float64": exact,
        "float32": apart(y, *((terms, model, x) for terms in TERMS.values())),
        "float32, plain, channels last or not": apart(
            y, (plain, model, x), (plain, rowwise, x.contiguous())
        ),
    }
    steps = {kind: step_of(terms, copy.deepcopy(model)) for kind, terms in TERMS.items()}
    found = in_turn({kind: partial(one, x, y) for kind, one in steps.items()}, rounds, x.device)
    alone = convolutions(model, x, x.device)
    line = row(
        f"step of adversarial training, {name}, {len(x)} images, PGD of {STEPS} steps",
        found["ours"],
        "the network as it is",
        found["plain"],
        unit="ms",
        scale=1e3,
        goal=1.5,
        limit=short(statistics.median(found["plain"].seconds) / alone),
        why="the whole step over its convolutions alone, each timed by itself",
    )
    return line, about | {"convolutions alone, ms": short(alone * 1e3)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    device = torch.device(given.device)
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False
    torch.ones(8_000_000)  # freed at once: from then on the system leaves memory, as in a long run
    rows, details = [], {"rounds": given.rounds}
    with cpu_flags(onednn=True):
        for name, (model, x) in networks(device).items():
            line, details[name] = compared(name, model, x, given.rounds)
            rows.append(line)
    keep(rows, details, device, given.out)


if __name__ == "__main__":
    main()
