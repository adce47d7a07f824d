"""Optimiser steps with little overhead, computing the same numbers.

A step of LeNet-5 on four images is mostly overhead, and entropic retraining asks for three million
of them. So nothing is read back from the device between two steps; denormal moments of dead
neurons, which are slow on a CPU, are flushed to 0; and on CUDA a step that is always the same (no
branch on a value, no random number) is recorded as a CUDA graph and replayed: one launch instead of
hundreds.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from operator import add
from typing import Literal, Self

import torch
from pydantic import model_validator
from torch import Generator, Tensor, nn

from robustinfo.core.settings import Fraction01, Number, PositiveNumber, Settings

_OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop}

Step = Callable[[Tensor, Tensor], dict[str, Tensor]]

WARM_UP = 3  # steps before recording: cuDNN chooses its kernels, the optimiser makes its state


class Config(Settings):
    optimizer: Literal["adam", "sgd", "rmsprop"] = "adam"  # of the weights
    learning_rate: PositiveNumber  # of the first epoch
    momentum: Fraction01 = 0.0  # of sgd and rmsprop
    smoothing: Fraction01 = 0.99  # of rmsprop; Keras has 0.9
    weight_decay: Number = 0.0  # L2 penalty's factor
    precision: Literal["float32", "bfloat16"] = "float32"  # of the forward and backward pass
    onednn: bool = True  # of the CPU; torch's own convolutions win on a LeNet-5 and four images

    @model_validator(mode="after")
    def momentum_has_an_optimizer(self) -> Self:
        """Adam has moments of its own."""
        if self.momentum and self.optimizer == "adam":
            raise ValueError("adam takes no `momentum`")
        return self


def optimizer_of(
    model: nn.Module, config: Config, *, capturable: bool = False
) -> torch.optim.Optimizer:
    """The optimiser of the configuration, in torch's quickest form for the device.

    capturable: whether its steps may be recorded as a CUDA graph.
    """
    options = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    if config.optimizer == "adam":
        options["fused"] = True
    else:
        options["momentum"] = config.momentum
    if config.optimizer == "rmsprop":
        options["alpha"] = config.smoothing
    if config.optimizer != "sgd":
        options["capturable"] = capturable
    return _OPTIMIZERS[config.optimizer](model.parameters(), **options)


@contextmanager
def cpu_flags(*, onednn: bool) -> Iterator[None]:
    """A context that sets the CPU's flags: oneDNN's or torch's convolutions, and no denormals."""
    torch.set_flush_denormal(True)
    try:
        # None leaves the other switches alone; their defaults would not.
        with torch.backends.mkldnn.flags(enabled=onednn, deterministic=None, allow_tf32=None):
            yield
    finally:
        torch.set_flush_denormal(False)


def stepper(
    model: nn.Module,
    loss_terms: Callable[..., dict[str, Tensor]],
    optimizer: torch.optim.Optimizer,
    *,
    config: Config,
    generator: Generator,
) -> Step:
    """The function (x, y) that takes a step, and returns the loss terms and their sum, ``loss``."""
    mixed = config.precision == "bfloat16"
    autocast = torch.autocast(generator.device.type, torch.bfloat16, mixed)

    def step(x: Tensor, y: Tensor) -> dict[str, Tensor]:
        with autocast:
            terms = loss_terms(model, x, y, generator=generator)
        total = reduce(add, terms.values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        return {name: value.detach() for name, value in (terms | {"loss": total}).items()}

    return step


def cuda_graphed(step: Step, optimizer: torch.optim.Optimizer, size: int) -> Step:
    """The step as a CUDA graph for batches of ``size``; smaller batches run without it.

    The learning rate is part of the recording: record anew when it changes. The first steps run
    on a stream of their own, as recording demands; the optimiser must be ``capturable``.
    """
    graph, steps_taken = torch.cuda.CUDAGraph(), 0
    inputs: tuple[Tensor, ...] = ()
    outputs: dict[str, Tensor] = {}

    def replay(x: Tensor, y: Tensor) -> dict[str, Tensor]:
        nonlocal inputs, outputs, steps_taken
        if len(y) < size:
            return step(x, y)
        steps_taken += 1
        if steps_taken <= WARM_UP:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                terms = step(x, y)
            torch.cuda.current_stream().wait_stream(side)
            return terms
        if not inputs:
            inputs = (x.clone(), y.clone())
            optimizer.zero_grad()  # the gradients' memory then belongs to the graph
            with torch.cuda.graph(graph):
                outputs = step(inputs[0], inputs[1])
        for buffer, batch in zip(inputs, (x, y), strict=True):
            buffer.copy_(batch)
        graph.replay()
        return {name: value.clone() for name, value in outputs.items()}

    return replay
