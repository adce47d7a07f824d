"""Networks retrained with more and more adversarial images: are their last features more succinct?

"One Bit Matters", arXiv 1810.09650, section 4.3 and figure 6. Training images are attacked once,
through the run's network; a share of them takes the place of their originals, and the network is
retrained. Then the retrained network is attacked again, and the last feature maps of the images
that still fool it are written as one grey image each, 8 bits from their least to their greatest
value, JPEG-compressed and measured. How the paper scales the maps is not said.

Robustness is measured twice: on the images made against the network as it was, which is what
retraining has seen the like of, and on images made against the retrained network itself.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Annotated

import torch
from pydantic import Field, PositiveInt
from torch import Generator, Tensor

from robustinfo.complexities import entropy, jpeg_size
from robustinfo.core import registry
from robustinfo.core.batches import EVALUATION_BATCH, accuracy, batches, to_float
from robustinfo.core.errors import UserError
from robustinfo.core.measurement import Measurement, count_fraction, mean
from robustinfo.core.settings import Entry, Fraction01, Outline, Settings
from robustinfo.distortions import eight_bit, jpeg
from robustinfo.learning._fit import fit
from robustinfo.learning._task import Task
from robustinfo.measures import binned_information
from robustinfo.models._network import Network
from robustinfo.training import loop
from robustinfo.training.loop import Images

QUALITY = 20  # of the JPEG encoder, 1 to 100
BINS = 4  # of every logit, for the redundancy


class Config(Settings):
    adversary: Entry  # of attacks/
    images: PositiveInt | None = None  # the first so many training images; None: all
    shares: Annotated[tuple[Fraction01, ...], Field(strict=False)]  # of the training images
    training: loop.Config
    maps: str = "maps"  # the point of the model that holds the last feature maps


def outline(config: Config) -> Outline:
    """The names of its rows.

    reached_share  fraction of the training images made adversarial, up to the level
    accuracy  of the retrained network on clean test images
    accuracy_on_first  on the adversarial images made against the network before retraining
    accuracy_under_attack  on adversarial images made against the retrained network
    feature_jpeg_bytes  JPEG size of the last feature maps of images that fool it, in bytes
    feature_entropy_plug_in_bits, feature_entropy_jvhw_bits  entropy of these maps' grey values,
        in bits
    redundancy_bits  R(T;Y) of the logits, in bits
    """
    quantities = (
        "reached_share", "accuracy", "accuracy_on_first", "accuracy_under_attack",
        "feature_jpeg_bytes", "feature_entropy_plug_in_bits", "feature_entropy_jvhw_bits",
        "redundancy_bits",
    )  # fmt: skip
    return [{"quantity": quantities, "level": config.shares}]


def learn(task: Task, *, config: Config, generator: Generator) -> Iterator[Measurement]:
    """Per share (the level): accuracies, the complexity of the last maps, R(T;Y) of the logits.

    ``reached_share``: of the training images, how many the attack could make adversarial at most
    for that level. Where that is less than the level, nothing is retrained.
    """
    clean = Images(*(part[: config.images] for part in task.train))
    train, attackable = _attack(task.model, clean, config, generator)
    first, fooled = _attack(task.model, task.test, config, generator)
    first = Images(first.images[fooled], first.labels[fooled])
    order = attackable.nonzero().squeeze(1)
    order = order[torch.randperm(len(order), generator=generator, device=order.device)]
    state = generator.get_state()
    for share in config.shares:
        chosen = order[: round(share * len(attackable))]
        yield count_fraction("reached_share", len(chosen), len(attackable))._replace(level=share)
        if len(chosen) < round(share * len(attackable)):
            continue
        generator.set_state(state)
        mixed = clean.images.clone()
        mixed[chosen] = train.images[chosen]
        model = deepcopy(task.model)
        fit(model, Images(mixed, clean.labels), config=config.training, generator=generator)
        attacked_again, success = _attack(model, task.test, config, generator)
        tested = {
            "accuracy": task.test,
            "accuracy_on_first": first,
            "accuracy_under_attack": attacked_again,
        }
        for name, data in tested.items():
            if len(data.labels):
                value = accuracy(model, to_float(data.images), data.labels)
                row = Measurement(name, value, "fraction", len(data.labels))
                yield row._replace(level=share)
        if success.any():
            for name, values in _complexities(
                model, attacked_again.images[success], config.maps
            ).items():
                yield mean(name, values)._replace(level=share)
        yield _redundancy(model, task.test)._replace(level=share)


def _attack(
    model: Network, images: Images, config: Config, generator: Generator
) -> tuple[Images, Tensor]:
    """The attacked images in 8 bits; and (n,) bool, success after rounding.

    An image without success, or whose success is lost by rounding, stays as it was.
    """
    perturb = registry.get("attacks", config.adversary)
    images_8bit, successes = [], []
    for x, y in batches(*images, EVALUATION_BATCH, images.images.device):
        x_adv, success = perturb(model, x, y, generator=generator)
        rounded = eight_bit.to_bytes(x_adv)
        with torch.no_grad():
            success &= model(to_float(rounded)).argmax(1) != y
        images_8bit.append(torch.where(success.view(-1, 1, 1, 1), rounded, eight_bit.to_bytes(x)))
        successes.append(success)
    return Images(torch.cat(images_8bit), images.labels), torch.cat(successes)


@torch.no_grad()
def _complexities(model: Network, images: Tensor, point: str) -> dict[str, Tensor]:
    """Entropies and file size of every image's last maps after JPEG, (n,) each."""
    maps = torch.cat([_maps(model, to_float(x), point) for x in images.split(EVALUATION_BATCH)])
    stacked = maps.flatten(1, 2)[:, None]  # (n, 1, maps x h, w): the maps under one another
    low, high = stacked.amin((2, 3), keepdim=True), stacked.amax((2, 3), keepdim=True)
    written = eight_bit.to_bytes((stacked - low) / (high - low).clamp(min=1e-12))
    read = jpeg.round_trip(written, QUALITY)
    size = jpeg_size.measure(written, config=jpeg_size.Config(quality=QUALITY))
    values = {"feature_jpeg_bytes": size}
    for estimator in ("plug_in", "jvhw"):
        settings = entropy.Config(alphabet="byte", estimator=estimator)
        values[f"feature_entropy_{estimator}_bits"] = entropy.measure(read, config=settings)
    return values


def _maps(model: Network, x: Tensor, point: str) -> Tensor:
    """A layer's feature maps, (n, maps, h, w). Raises ValueError if there are none."""
    layers = dict(model.named_children())
    for name, layer in layers.items():
        x = layer(x)
        if name == point and x.ndim == 4:
            return x
    raise UserError(f"no layer {point!r} with feature maps; the network has {', '.join(layers)}")


@torch.no_grad()
def _redundancy(model: Network, images: Images) -> Measurement:
    parts = [model(x) for x, _ in batches(*images, EVALUATION_BATCH, images.images.device)]
    bins = binned_information.Config(bins=BINS)
    measurements = binned_information.estimate(torch.cat(parts), images.labels, config=bins)
    return next(one for one in measurements if one.quantity == "redundancy_bits")
