"""How the honest networks are trained: plainly, to the end, against attacks, to bounds, pruned."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils import prune

from benchmarks.honest import bounds
from robustinfo.datasets import digits
from robustinfo.datasets._prepared import data_root, open_split
from robustinfo.defences import adversarial, standard, trades
from robustinfo.training import loop

FIRST = 6000  # images of MNIST and of CIFAR-10, of each split
BATCH = 64
TO_THE_END = 1e-6  # mean cross-entropy of the training images, nats
ENOUGH, SMALL = 400, 2000  # epochs, and images, of a training to the end
PRUNED = 0.8  # of the weights
CROSS_ENTROPY = {"method": "cross_entropy"}

Terms = Callable[..., dict[str, Tensor]]


@cache
def images(dataset: str, split: str, most: int = FIRST) -> loop.Images:
    """uint8 images (n, c, h, w) and labels; of all but the digits the first ``most`` only."""
    if dataset == "digits":
        raw = digits.load(split, config=digits.Config(), root=Path())
        return loop.Images(torch.from_numpy(raw.images), torch.from_numpy(raw.labels))
    found = open_split(dataset, split, {"method": dataset}, data_root())
    return loop.Images(found.images[:most], found.labels[:most])


def fit(
    network: nn.Module,
    dataset: str,
    terms: Terms,
    *,
    epochs: int,
    seed: int,
    learning_rate: float = 2e-3,
    until: float | None = None,
    most: int | None = None,
) -> nn.Module:
    """The network, trained in place by Adam, at the end at a tenth of the rate; in eval mode.

    until: the mean loss at which it is done before all its epochs are over. most: of the images,
    the first so many.
    """
    data = loop.Images(*(one[:most] for one in images(dataset, "train")))
    nothing = loop.Images(data.images[:0], data.labels[:0])
    config = loop.Config(
        epochs=epochs, batch_size=BATCH, learning_rate=learning_rate, snapshot_every=epochs,
        milestones=(round(0.8 * epochs),) if until is None else (),
    )  # fmt: skip
    generator = Generator().manual_seed(seed)
    for epoch in loop.train(network, data, nothing, terms, config=config, generator=generator):
        if until is not None and epoch.number and epoch.record["train/loss"] <= until:
            break
    return network.eval().requires_grad_(False)


def plainly(loss: dict | None = None) -> Terms:
    """The cross-entropy, or another of losses/."""
    return partial(standard.loss_terms, config=standard.Config(loss=loss or CROSS_ENTROPY))


def to_the_end(network: nn.Module, dataset: str, *, seed: int) -> nn.Module:
    """Trained until nothing is left to learn: its logits are far apart."""
    end = {"until": TO_THE_END, "most": SMALL}
    return fit(network, dataset, plainly(), epochs=ENOUGH, seed=seed, **end)


def against_pgd(norm: str, epsilon: float, steps: int = 5) -> Terms:
    """Madry et al. (2018), arXiv 1706.06083."""
    attack = {"norm": norm, "epsilon": epsilon, "step_size": 2 * epsilon / steps, "steps": steps}
    config = adversarial.Config(loss=CROSS_ENTROPY, attack=attack)
    return partial(adversarial.loss_terms, config=config)


def against_kl(norm: str, epsilon: float, steps: int = 5) -> Terms:
    """TRADES (Zhang et al. 2019, arXiv 1901.08573)."""
    attack = {"norm": norm, "epsilon": epsilon, "step_size": 2 * epsilon / steps, "steps": steps}
    return partial(trades.loss_terms, config=trades.Config(loss=CROSS_ENTROPY, attack=attack))


def certifiably(
    network: nn.Module, dataset: str, epsilon: float, *, epochs: int, seed: int
) -> nn.Module:
    """By interval bounds."""
    steps = epochs * -(-len(images(dataset, "train").labels) // BATCH)
    return fit(network, dataset, bounds.loss_terms(epsilon, steps), epochs=epochs, seed=seed)


def pruned(network: nn.Module, dataset: str, *, epochs: int, seed: int) -> nn.Module:
    """Han et al. (2015), arXiv 1506.02626: trained, its smallest weights cut, and trained on."""
    fit(network, dataset, plainly(), epochs=epochs, seed=seed).requires_grad_(True)
    network.to(memory_format=torch.contiguous_format)  # `prune` takes weights for vectors
    layers = [one for one in network.modules() if isinstance(one, nn.Linear | nn.Conv2d)]
    parts = [(layer, "weight") for layer in layers]
    prune.global_unstructured(parts, pruning_method=prune.L1Unstructured, amount=PRUNED)
    fit(network, dataset, plainly(), epochs=epochs, seed=seed + 1)
    for layer, name in parts:
        prune.remove(layer, name)
    return network
