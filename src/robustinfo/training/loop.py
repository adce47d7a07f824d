"""The one training loop. Pretraining and every retraining differ only in their loss terms."""

import math
from collections.abc import Callable, Iterator
from typing import Annotated, NamedTuple

import torch
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.core.batches import accuracy, to_float
from robustinfo.core.errors import UserError
from robustinfo.core.settings import PositiveNumber
from robustinfo.training import step
from robustinfo.training.augment import Config as Augmentation
from robustinfo.training.augment import augment
from robustinfo.training.step import Step, cpu_flags, cuda_graphed, optimizer_of, stepper

TOGETHER = 2048  # images, about, that are gathered at once


class Config(step.Config):
    epochs: Annotated[int, Field(ge=1, le=100_000)]  # passes over the training images
    batch_size: PositiveInt  # images of a step
    milestones: Annotated[tuple[NonNegativeInt, ...], Field(strict=False)] = ()  # in epochs
    gamma: PositiveNumber = 0.1  # multiplies the learning rate at each milestone
    augmentation: Augmentation = Augmentation()  # of the training images, anew in every epoch
    snapshot_every: PositiveInt  # epochs between two snapshots; the last epoch always is one


class Images(NamedTuple):
    """images: (n, c, h, w) uint8, or texts: (n, length) int32.  labels: (n,) int64."""

    images: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> "Images":
        """Images and labels on the device."""
        return Images(self.images.to(device), self.labels.to(device))


class Epoch(NamedTuple):
    """The record of an epoch, and the ``state`` from which training resumes.

    Its tensors are the live ones: save or copy it before the next epoch.
    """

    number: int  # 0 is before the first step
    record: dict[str, float]  # the mean of each loss term, their sum, validation accuracy
    state: dict


class DivergedError(UserError):
    """The loss was NaN or infinite; the last yielded Epoch is the last valid one."""


def train(
    model: nn.Module,
    data: Images,
    validation: Images,
    loss_terms: Callable[..., dict[str, Tensor]],
    *,
    config: Config,
    generator: Generator,
    state: dict | None = None,
    same_steps: bool = False,
) -> Iterator[Epoch]:
    """Train the model in place; yield an Epoch before the first one and after each.

    generator: on the model's device; it draws the order, the augmentation and the adversaries.
    state: that of an earlier Epoch; the training then goes on after it, with the same bits as one
    that was never interrupted.
    same_steps: whether every step is the same computation, and may be recorded (step.py).
    Raises DivergedError in the epoch that meets a NaN or infinite loss, before it is yielded.
    """
    device = generator.device
    fast = same_steps and device.type == "cuda"
    optimizer = optimizer_of(model, config, capturable=fast)
    model.to(memory_format=_layout(device, config))
    step = stepper(model, loss_terms, optimizer, config=config, generator=generator)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, config.milestones, config.gamma)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    if state is None:
        done = 0
        with cpu_flags(onednn=config.onednn):
            score = _score(model, validation)
        yield Epoch(0, score, _state(0, parts, generator))
    else:
        done = _restore(state, parts, generator)
    for epoch in range(done + 1, config.epochs + 1):
        rate = float(schedule.get_last_lr()[0])
        take_step = cuda_graphed(step, optimizer, config.batch_size) if fast else step
        with cpu_flags(onednn=config.onednn):
            record = _one_epoch(
                model, data, take_step, epoch=epoch, rate=rate, config=config, generator=generator
            )
            record |= {"learning_rate": rate} | _score(model, validation)
        schedule.step()
        yield Epoch(epoch, record, _state(epoch, parts, generator))


def _one_epoch(
    model: nn.Module,
    data: Images,
    step: Step,
    *,
    epoch: int,
    rate: float,
    config: Config,
    generator: Generator,
) -> dict[str, float]:
    """Take all steps of an epoch. Images of many steps are gathered and augmented at once."""
    model.train()
    device, size = generator.device, config.batch_size
    order = torch.randperm(len(data.labels), generator=generator, device=device)
    sums: dict[str, Tensor] = {}
    together = max(1, TOGETHER // size)
    for part, chosen in enumerate(order.split(size * together)):
        x, y = to_float(data.images[chosen]), data.labels[chosen]
        x = augment(x, config=config.augmentation, generator=generator)
        if x.ndim == 4:  # texts have no channels
            x = x.to(memory_format=_layout(device, config))
        steps = [step(a, b) for a, b in zip(x.split(size), y.split(size), strict=True)]
        sizes = torch.tensor([len(b) for b in y.split(size)], device=device)
        terms = {name: torch.stack([one[name] for one in steps]) for name in steps[0]}
        if not terms["loss"].isfinite().all():
            first = int(terms["loss"].isfinite().int().argmin())
            values = ", ".join(f"{name} {value[first]:.4g}" for name, value in terms.items())
            raise DivergedError(
                f"loss is {terms['loss'][first]:.4g} at epoch {epoch}, step "
                f"{part * together + first + 1} (batch of {sizes[first]}, "
                f"learning rate {rate:g}): {values}. Lower the learning rate or a term's weight"
            )
        for name, value in terms.items():
            sums[name] = sums.get(name, 0.0) + (value.double() * sizes).sum()
    return {f"train/{name}": (value / len(order)).item() for name, value in sums.items()}


def _layout(device: torch.device, config: Config) -> torch.memory_format:
    """The faster memory format: channels last, but for torch's own convolutions on a CPU."""
    last = device.type == "cuda" or config.onednn
    return torch.channels_last if last else torch.contiguous_format


def _score(model: nn.Module, data: Images) -> dict[str, float]:
    if not len(data.labels):
        return {"validation/accuracy": math.nan}
    model.eval()
    return {"validation/accuracy": accuracy(model, to_float(data.images), data.labels)}


def _state(epoch: int, parts: dict, generator: Generator) -> dict:
    state = {name: part.state_dict() for name, part in parts.items()}
    random = {"own": generator.get_state(), "global": torch.get_rng_state()}
    if generator.device.type == "cuda":
        random["cuda"] = torch.cuda.get_rng_state(generator.device)
    return state | {"epoch": epoch, "random": random}


def _restore(state: dict, parts: dict, generator: Generator) -> int:
    for name, part in parts.items():
        part.load_state_dict(state[name])
    generator.set_state(state["random"]["own"].cpu())
    torch.set_rng_state(state["random"]["global"].cpu())
    if generator.device.type == "cuda":
        torch.cuda.set_rng_state(state["random"]["cuda"].cpu(), generator.device)
    return state["epoch"]
