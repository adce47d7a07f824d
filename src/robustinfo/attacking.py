"""``robustinfo.attack``: one attack on a network, by its name."""

from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor

from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core.batches import correct, memory_batch
from robustinfo.core.errors import UserError
from robustinfo.core.seeds import part_generator
from robustinfo.evaluation import options
from robustinfo.evaluation.attacks import run_attack
from robustinfo.evaluation.batches import Batches
from robustinfo.evaluation.images import LabelledImages
from robustinfo.evaluation.labelled import labelled_images
from robustinfo.evaluation.networks import Model, Numbers, in_its_classes, network_of
from robustinfo.evaluation.protocol import attacks as protocol_attacks
from robustinfo.evaluation.selection import select
from robustinfo.evaluation.sizes import BY_NAME
from robustinfo.evaluation.targeted import run_towards
from robustinfo.evaluation.threats import Ball

EVERY = 10**9  # more images than there are


class Attacked(NamedTuple):
    """Adversarial images like x, (n, c, h, w), and whether each is a verified success, (n,) bool.

    >>> import torch, robustinfo
    >>> robustinfo.Attacked(torch.rand(2, 1, 4, 4), torch.tensor([True, False])).success.sum()
    tensor(1)
    """

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

    Args:
        name: of attacks/ (``robustinfo list attacks``), or an entry as studies have it.
        model: as in ``judge``, like x, y, mean, std, seed, device and batch_size.
        x: images (n, c, h, w).
        y: labels (n,).
        epsilon: radius of the ball, in pixel values of [0, 1], a number or ``"8/255"``.
        norm: linf, l2 or l1.
        targets: (n,) labels that the images are to become; only of attacks that take two classes.
        mean: of the pixels.
        std: of the pixels.
        seed: of whatever the attack draws.
        device: by default a GPU if there is one.
        batch_size: images at once; None: as memory allows.
        **settings: its own, as ``steps=100``; pgd and its like have the numbers of the protocol
            ``medium``.

    Returns:
        x_adv, like x, on the device; where there is no success, x itself.

    Raises:
        UserError: what, where, why, and what to do.

    Examples:
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
    data = labelled_images(x, y, EVERY)
    data = in_its_classes(model, data)
    network = network_of(model, data, chosen_device, mean=mean, std=std)
    given = {"method": name} if isinstance(name, str) else dict(name)
    medium = BY_NAME["medium"]
    usual = protocol_attacks(medium, ball).get(given.get("method", ""))
    entry = (usual.entry if usual else {}) | given | settings
    ((_, chosen),) = select(medium, ball, [entry]).attacks.items()
    attacked = GradientSafe(network).eval()
    goals = None if targets is None else _goals(targets, data)
    size = batch_size or memory_batch(prod(data.images.shape[1:]))
    parts = []
    with torch.inference_mode(False), torch.enable_grad():
        for batch, _ in Batches(data.images, data.labels, size, chosen_device):
            draw = part_generator(chosen_device, seed, entry["method"], batch.start)
            run: dict[str, Any] = {"generator": draw, "rows": batch.rows}
            if goals is None:
                clean = correct(attacked, batch.x, batch.y)
                found = run_attack(attacked, batch.x, batch.y, clean, chosen, **run)
            else:
                found = run_towards(
                    attacked, batch.x, goals[batch.rows].to(draw.device), chosen, **run
                )
            keep = found.success.view(-1, 1, 1, 1)
            parts.append((torch.where(keep, found.x_adv, batch.x), found.success))
    return Attacked(*(torch.cat([*every]) for every in zip(*parts, strict=True)))


def _goals(targets: Any, data: LabelledImages) -> torch.Tensor:  # noqa: ANN401
    """The targets as labels (n,). Raises UserError where they are none."""
    goals, n, classes = torch.as_tensor(targets), len(data.labels), len(data.classes)
    if goals.shape != (n,) or goals.is_floating_point():
        raise UserError(f"targets are {tuple(goals.shape)}, {goals.dtype}; give {n} integers")
    if n and not 0 <= int(goals.min()) <= int(goals.max()) < classes:
        raise UserError(f"targets are labels from 0 to {classes - 1}")
    return goals.cpu().long()
