"""Fitting speed of a network: accuracy per epoch on the images that it learns, and on the rest.

"One Bit Matters", arXiv 1810.09650, section 4.1 and figure 4: the same network is
trained on clean images alone, and on the adversarial images of each attack alone, and tested on
held-out images of the same kind. Every set meets the same first weights, the same split and the
same order of images. The mean accuracy over the epochs, the area under the curve, says what was
fitted faster.

The split, the training and that mean are ours: the paper does not say how it trained. All images
are training images of the network that was attacked, the held-out ones, too. Learned and held-out
adversarial images were made against the same network, so that what is learned may be its weakness
as well as the objects.
"""

from collections.abc import Iterator
from statistics import fmean
from typing import Annotated, Any

import torch
from pydantic import Field, PositiveInt
from torch import Generator

from robustinfo.core.batches import accuracy, to_float
from robustinfo.core.errors import UserError
from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Names, Outline, Settings
from robustinfo.datasets._validation import split_validation
from robustinfo.learning._fit import fit
from robustinfo.learning._task import Task
from robustinfo.models._network import Network
from robustinfo.training import loop
from robustinfo.training.loop import Images


class Config(Settings):
    attacks: Names  # of the study, each a set beside the clean images
    images: PositiveInt | None = None  # the first so many training images; None: all
    training: loop.Config
    test_share: Annotated[float, Field(gt=0, lt=1)]  # of the images of every class


def outline(config: Config) -> Outline:
    """The names of its rows.

    train_accuracy  on the images that are learned, after the epoch
    test_accuracy  on held-out images of the same set, after the epoch
    mean_train_accuracy, mean_test_accuracy  its mean over the epochs from 1 on
    """
    sets = {"input": ("clean", *config.attacks)}
    epochs = tuple(range(config.training.epochs + 1))
    return [
        {"quantity": ("train_accuracy", "test_accuracy"), "epoch": epochs, **sets},
        {"quantity": ("mean_train_accuracy", "mean_test_accuracy"), **sets},
    ]


def learn(task: Task, *, config: Config, generator: Generator) -> Iterator[Measurement]:
    """Per set and epoch ``train_accuracy`` and ``test_accuracy``, from 0, before the first step.

    Then per set ``mean_train_accuracy`` and ``mean_test_accuracy`` over the epochs from 1 on.
    Torch's global generator is left as it was. Raises UserError if no image is left to test on.
    """
    device = generator.device
    seed = int(torch.randint(2**62, (), generator=generator, device=device))
    labels = task.sets["clean"].labels.cpu()
    parts = split_validation(
        labels, config.test_share, generator=torch.Generator().manual_seed(seed)
    )
    if not len(parts[1]):
        raise UserError(
            f"test_share {config.test_share} of {len(labels)} images leaves none to test"
        )
    for name, (images, labels) in task.sets.items():
        learned, held_out = (
            Images(images[part], labels[part]) for part in (part.to(device) for part in parts)
        )
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(seed)  # the weights, and dropout, draw from it
            draws = torch.Generator(device).manual_seed(seed)
            curve = _curve(task.build(), learned, held_out, config=config, generator=draws)
        for side, data, values in zip(
            ("train", "test"), (learned, held_out), zip(*curve, strict=True), strict=True
        ):
            fields: dict[str, Any] = {"input": name, "n": len(data.labels)}
            for epoch, value in enumerate(values):
                accuracy = Measurement(f"{side}_accuracy", value, "fraction", epoch=epoch)
                yield accuracy._replace(**fields)
            # A mean over epochs is no fraction of images.
            yield Measurement(f"mean_{side}_accuracy", fmean(values[1:]))._replace(**fields)


def _curve(
    model: Network, learned: Images, held_out: Images, *, config: Config, generator: Generator
) -> list[tuple[float, ...]]:
    """Accuracy on the learned and the held-out images, before the first and after every epoch."""
    curve: list[tuple[float, ...]] = []
    tested = [(to_float(images), labels) for images, labels in (learned, held_out)]
    fit(
        model,
        learned,
        config=config.training,
        generator=generator,
        each_epoch=lambda _: curve.append(tuple(accuracy(model, *one) for one in tested)),
    )
    return curve
