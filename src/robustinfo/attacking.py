"""``robustinfo.attack``: one attack on a network, by its name."""

from collections.abc import Mapping
from functools import partial
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor

from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core.batches import correct, memory_batch
from robustinfo.core.seeds import part_generator
from robustinfo.evaluation import options
from robustinfo.evaluation.attacks import run_attack
from robustinfo.evaluation.batches import Batches
from robustinfo.evaluation.labelled import labelled_images
from robustinfo.evaluation.networks import Model, Numbers, in_its_classes, network_of
from robustinfo.evaluation.protocol import BY_NAME
from robustinfo.evaluation.protocol import attacks as protocol_attacks
from robustinfo.evaluation.selection import select
from robustinfo.evaluation.targeted import perturb_towards
from robustinfo.evaluation.threats import Ball


class Attacked(NamedTuple):
    """Adversarial images like x, and whether each is a verified success, (n,) bool."""

    x_adv: Tensor
    success: Tensor


def attack(
    name: str | Mapping[str, Any],
    model: Model,
    x: Any,  # noqa: ANN401
    y: Any = None,  # noqa: ANN401
    *,
    epsilon: float | str,
    norm: str = "linf",
    targets: Any = None,  # noqa: ANN401
    mean: Numbers | None = None,
    std: Numbers | None = None,
    seed: int = 0,
    device: str | torch.device = "",
    batch_size: int | None = None,
    **settings: Any,  # noqa: ANN401
) -> Attacked:
    """Attack a network, with every success verified.

    name: of attacks/ (``robustinfo list attacks``). settings: its own, as ``steps=100``; pgd and
    its like have the numbers of the protocol ``medium``. model, x, y, mean, std: as in ``judge``.
    targets: (n,) labels that the images are to become; only of attacks that take two classes.
    Returns x_adv, like x, on the device; where there is no success, x itself. Raises UserError.

    >>> import torch, robustinfo
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 4))
    >>> x = torch.rand(8, 1, 4, 4)
    >>> y = model(x).argmax(1)
    >>> x_adv, success = robustinfo.attack("pgd", model, x, y, epsilon=0.5, steps=10)
    >>> bool(success.all()) and float((x_adv - x).abs().max()) <= 0.5 + 1e-6
    True
    >>> x_adv, success = robustinfo.attack("pgd", model, x, y, epsilon=0.5, targets=(y + 1) % 4)
    >>> bool((model(x_adv).argmax(1)[success] == ((y + 1) % 4)[success]).all())
    True
    """
    chosen_device, ball_norm = options.device(str(device)), options.norm(norm)
    ball = Ball(norm=ball_norm, epsilon=options.epsilon(str(epsilon), ball_norm))
    data = labelled_images(x, y, len(x) if hasattr(x, "__len__") else 10**9)
    data = in_its_classes(model, data)
    network = network_of(model, data, chosen_device, mean, std)
    given = {"method": name} if isinstance(name, str) else dict(name)
    medium = BY_NAME["medium"]
    usual = protocol_attacks(medium, ball).get(given["method"])
    entry = (usual.entry if usual else {}) | given | settings
    ((_, chosen),) = select(medium, ball, [entry]).attacks.items()
    attacked, labels = GradientSafe(network).eval(), data.labels
    usual_size = memory_batch(prod(data.images.shape[1:]))
    goals = None if targets is None else torch.as_tensor(targets).to(chosen_device)
    parts = []
    for batch, _ in Batches(data.images, labels, batch_size or usual_size, chosen_device):
        draw = part_generator(chosen_device, seed, given["method"], batch.start)
        if goals is None:
            clean = correct(attacked, batch.x, batch.y)
            result = run_attack(
                attacked, batch.x, batch.y, clean, chosen, rows=batch.rows, generator=draw
            )
            parts.append((result.x_adv, result.success))
        else:
            run = partial(perturb_towards, chosen.perturb, attacked, batch.x, goals[batch.rows])
            parts.append(run(generator=draw))
    return Attacked(*(torch.cat([*every]) for every in zip(*parts, strict=True)))
