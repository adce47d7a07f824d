"""Standard training inside a method: cross-entropy, without snapshots or resuming."""

from collections.abc import Callable
from functools import partial

from torch import Generator

from robustinfo.defences import standard
from robustinfo.models._network import Network
from robustinfo.training import loop
from robustinfo.training.loop import Images

LOSS = standard.Config(loss={"method": "cross_entropy"})


def fit(
    model: Network,
    images: Images,
    *,
    config: loop.Config,
    generator: Generator,
    each_epoch: Callable[[int], None] = lambda epoch: None,
) -> None:
    """Train the model in place and leave it in eval mode; call ``each_epoch`` after every epoch.

    Epoch 0 is before the first step.
    """
    nothing = Images(images.images[:0], images.labels[:0])
    terms = partial(standard.loss_terms, config=LOSS)
    for epoch in loop.train(
        model, images, nothing, terms, config=config, generator=generator, same_steps=True
    ):
        model.eval()
        each_epoch(epoch.number)
