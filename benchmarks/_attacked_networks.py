"""The networks that attacks are timed on: one that stands a little, one of which half stands."""

from functools import partial
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from robustinfo.core.settings import Settings
from robustinfo.datasets._prepared import data_root, open_split
from robustinfo.defences import adversarial
from robustinfo.models import lenet5, resnet18
from robustinfo.training import loop

SEED = 0


class Half(Settings):
    """A network that is robust by half."""

    dataset: str
    width: int
    training_images: int
    epochs: int
    trained_at: float  # epsilon
    epsilon: float
    images: int


HALF = {
    "cpu": Half(
        dataset="mnist",
        width=8,
        training_images=4096,
        epochs=2,
        trained_at=0.2,
        epsilon=0.25,
        images=50,
    ),
    "cuda": Half(
        dataset="cifar10",
        width=64,
        training_images=20_000,
        epochs=5,
        trained_at=8 / 255,
        epsilon=8 / 255,
        images=128,
    ),
}


class Attacked(NamedTuple):
    """A network in eval mode, contiguous, its weights ready to be trained, and what attacks it."""

    name: str
    model: nn.Module
    x: Tensor  # (n, c, h, w)
    y: Tensor  # (n,)
    epsilon: float  # in linf

    def generator(self) -> Generator:
        return Generator(self.x.device).manual_seed(SEED)

    @property
    def right(self) -> Tensor:
        """(n,) bool: correct when clean."""
        with torch.no_grad():
            return self.model(self.x).argmax(1) == self.y


def half_robust(half: Half, device: torch.device) -> Attacked:
    """A ResNet-18 after a little adversarial training, as a newcomer has it."""
    config = resnet18.Config(width=half.width)
    ball = {"epsilon": half.trained_at, "step_size": half.trained_at / 3, "steps": 5}
    loss = {"loss": {"method": "cross_entropy"}, "clean_share": 0.5, "attack": ball}
    terms = partial(adversarial.loss_terms, config=adversarial.Config(**loss))
    build = partial(resnet18.build, config=config)
    return _trained(f"ResNet-18 of {half.width} filters", build, terms, half, half.epochs, device)


def plain(half: Half, device: torch.device) -> Attacked:
    """The quickstart's LeNet-5 after plain training; two fifths of the epsilon break half of it."""
    build = partial(lenet5.build, config=lenet5.Config())
    found = _trained("LeNet-5", build, _cross_entropy, half, 5, device)
    return found._replace(epsilon=0.4 * half.epsilon)


def _cross_entropy(
    model: nn.Module, x: Tensor, y: Tensor, *, generator: Generator
) -> dict[str, Tensor]:
    return {"cross_entropy": nn.functional.cross_entropy(model(x), y)}


def _trained(
    name: str, build: partial, terms: partial, half: Half, epochs: int, device: torch.device
) -> Attacked:
    train, test = (
        open_split(half.dataset, part, {"method": half.dataset}, data_root())
        for part in ("train", "test")
    )
    torch.manual_seed(SEED)
    model = build(train.images.shape[1:], 10).to(device)
    some = slice(half.training_images)
    data = loop.Images(train.images[some].clone(), train.labels[some].clone()).to(device)
    for _ in loop.train(
        model,
        data,
        loop.Images(data.images[:0], data.labels[:0]),
        terms,
        config=loop.Config(epochs=epochs, batch_size=64, learning_rate=0.002, snapshot_every=1),
        generator=Generator(device).manual_seed(SEED),
    ):
        pass
    model.eval().to(memory_format=torch.contiguous_format)
    x = test.images[: half.images].to(device).float() / 255
    return Attacked(name, model, x, test.labels[: half.images].to(device), half.epsilon)
