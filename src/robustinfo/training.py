"""The one training loop. Pretraining and every retraining differ only in their loss terms."""

import math
from collections.abc import Callable, Iterator
from typing import Annotated, Literal, NamedTuple, Self

import torch
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator
from torch import Generator, Tensor, nn

from robustinfo.augmentation import Config as Augmentation
from robustinfo.augmentation import augment
from robustinfo.batches import correct, floats
from robustinfo.faults import Fault
from robustinfo.settings import Fraction01, Number, PositiveNumber, Settings

_OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop}


class Config(Settings):
    epochs: PositiveInt
    batch_size: PositiveInt
    optimizer: Literal["adam", "sgd", "rmsprop"] = "adam"
    learning_rate: PositiveNumber
    momentum: Fraction01 = 0.0  # of sgd and rmsprop
    weight_decay: Number = 0.0
    milestones: Annotated[tuple[NonNegativeInt, ...], Field(strict=False)] = ()  # in epochs
    gamma: PositiveNumber = 0.1  # multiplies the learning rate at each milestone
    augmentation: Augmentation = Augmentation()
    snapshot_every: PositiveInt  # epochs between two snapshots; the last epoch always is one
    precision: Literal["float32", "bfloat16"] = "bfloat16"  # of CUDA; the CPU uses float32

    @model_validator(mode="after")
    def momentum_has_an_optimizer(self) -> Self:
        """Adam has moments of its own."""
        if self.momentum and self.optimizer == "adam":
            raise ValueError("adam takes no `momentum`")
        return self


class Images(NamedTuple):
    """images: (n, c, h, w) uint8.  labels: (n,) int64. On the model's device."""

    images: Tensor
    labels: Tensor


class Epoch(NamedTuple):
    """What is known after an epoch; ``state`` is all that resuming needs.

    Its tensors are the live ones: save or copy it before the next epoch.
    """

    number: int  # 0 is before the first step
    record: dict[str, float]  # the mean of each loss term, their sum, validation accuracy
    state: dict


class DivergedError(Fault):
    """The loss was NaN or infinite; no step was taken with it."""


def train(
    model: nn.Module,
    data: Images,
    validation: Images,
    loss_terms: Callable[..., dict[str, Tensor]],
    *,
    config: Config,
    generator: Generator,
    state: dict | None = None,
) -> Iterator[Epoch]:
    """Train the model in place, and yield after every epoch, and once before the first.

    generator: on the model's device; it draws the order, the augmentation and the adversaries.
    state: that of an earlier Epoch; the training then goes on after it, with the same bits as one
    that was never interrupted. Raises DivergedError before a step on a NaN or infinite loss.
    """
    optimizer = _optimizer(model, config)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, config.milestones, config.gamma)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    if state is None:
        done = 0
        yield Epoch(0, _score(model, validation), _state(0, parts, generator))
    else:
        done = _restore(state, parts, generator)
    for epoch in range(done + 1, config.epochs + 1):
        rate = schedule.get_last_lr()[0]
        record = _one_epoch(model, data, loss_terms, optimizer, epoch, config, generator)
        schedule.step()
        record |= {"learning_rate": rate} | _score(model, validation)
        yield Epoch(epoch, record, _state(epoch, parts, generator))


def _one_epoch(
    model: nn.Module,
    data: Images,
    loss_terms: Callable[..., dict[str, Tensor]],
    optimizer: torch.optim.Optimizer,
    epoch: int,
    config: Config,
    generator: Generator,
) -> dict[str, float]:
    model.train()
    device = generator.device
    order = torch.randperm(len(data.labels), generator=generator, device=device)
    autocast = torch.autocast(
        device.type, torch.bfloat16, device.type == "cuda" and config.precision == "bfloat16"
    )
    sums: dict[str, Tensor] = {}
    for step, chosen in enumerate(order.split(config.batch_size), 1):
        x, y = floats(data.images[chosen]), data.labels[chosen]
        x = augment(x, config=config.augmentation, generator=generator)
        if device.type == "cuda":
            x = x.to(memory_format=torch.channels_last)
        with autocast:
            terms = loss_terms(model, x, y, generator=generator)
        total = sum(terms.values())
        if not total.isfinite():
            values = ", ".join(f"{name} {value.item():.4g}" for name, value in terms.items())
            rate = optimizer.param_groups[0]["lr"]
            raise DivergedError(
                f"loss is {total.item()} at epoch {epoch}, step {step} (batch of {len(y)}, "
                f"learning rate {rate:g}): {values}. Lower the learning rate or a term's weight"
            )
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        for name, value in (terms | {"loss": total}).items():
            sums[name] = sums.get(name, 0.0) + value.detach().double() * len(y)
    return {f"train/{name}": (value / len(order)).item() for name, value in sums.items()}


def _optimizer(model: nn.Module, config: Config) -> torch.optim.Optimizer:
    options = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    if config.optimizer != "adam":
        options["momentum"] = config.momentum
    return _OPTIMIZERS[config.optimizer](model.parameters(), **options)


def _score(model: nn.Module, data: Images) -> dict[str, float]:
    if not len(data.labels):
        return {"validation/accuracy": math.nan}
    model.eval()
    hits = correct(model, floats(data.images), data.labels)
    return {"validation/accuracy": hits.double().mean().item()}


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
