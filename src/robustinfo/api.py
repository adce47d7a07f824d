"""What ``import robustinfo`` offers: judge a network, attack it, load a checkpoint."""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core import checkpoint
from robustinfo.core.batches import memory_batches, to_float
from robustinfo.core.seeds import part_generator
from robustinfo.evaluation import options, sources
from robustinfo.evaluation.images import LabelledImages
from robustinfo.evaluation.labelled import labelled_images, with_classes
from robustinfo.evaluation.own_images import read_images
from robustinfo.evaluation.progress import Progress
from robustinfo.evaluation.protocol import BY_NAME
from robustinfo.evaluation.protocol import attacks as protocol_attacks
from robustinfo.evaluation.questions import Questions, ask
from robustinfo.evaluation.result import Evaluation
from robustinfo.evaluation.selection import Choice, select
from robustinfo.evaluation.sources._columns import output_classes
from robustinfo.evaluation.sources._guarded import Guarded
from robustinfo.evaluation.targeted import perturb_towards
from robustinfo.evaluation.threats import Ball

Model = nn.Module | Callable | str | Path
Numbers = float | Sequence[float]


class Attacked(NamedTuple):
    """Adversarial images like x, and whether each is a verified success, (n,) bool."""

    x_adv: Tensor
    success: Tensor


def judge(
    model: Model,
    x: Any,  # noqa: ANN401
    y: Any = None,  # noqa: ANN401
    *,
    epsilon: float | str,
    norm: str = "linf",
    twin: Model | None = None,
    protocol: str = "medium",
    attacks: Sequence[Choice] | None = None,
    adversarial: Any = None,  # noqa: ANN401
    images: int | None = None,
    epsilons: Sequence[float | str] = (),
    classes: int | Sequence[str] | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    abstain: str | None = None,
    loss: Callable | None = None,
    seed: int = 0,
    device: str | torch.device = "",
    batch_size: int | None = None,
    out: str | Path | None = None,
    progress: bool | Progress = False,
) -> Evaluation:
    """Judge a network: attack it, check the attacks, and say what the numbers support.

    model, twin: images (n, c, h, w) in [0, 1] -> logits (n, K): a module, of which a copy in eval
    mode is judged; a function of numpy arrays, known by its answers alone; or text as the command
    line has it (``timm:NAME``, a file). twin: the same network without its defence.
    x: (n, c, h, w), uint8 or floats in [0, 1], with labels y (n,); or a DataLoader or Dataset of
    both. images: how many of them, whatever the protocol says.
    epsilon, norm: the threat model, in pixel values of [0, 1], a number or ``"8/255"``; linf or l2.
    protocol: tiny, small, medium, large or full (``robustinfo plan``). attacks: instead of the
    protocol's, by name or entry; functions (model, x, y, generator=) -> x_adv are made beside
    them. adversarial: images (n, c, h, w) that were crafted before, or a file of them. Of both,
    every success is verified. epsilons: of the curve of accuracy by epsilon.
    classes: their number or names. mean, std: of the pixels, where the network wants
    (x - mean) / std. abstain: what it is that the network abstains, where its last logit, of
    K + 1, says so: ``robust`` or ``error``. loss: (x, y) -> the term that the defence adds to its
    loss, which the adaptive attack weighs.
    seed, device (default: a GPU if there is one), batch_size: the same ones give the same bits on
    one machine. out: a folder for the report and all results, from which a stopped evaluation goes
    on. progress: True for lines on standard error, or a function of a progress.Step.

    Raises UserError.

    >>> import torch, robustinfo
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 4))
    >>> x = torch.rand(64, 1, 4, 4)
    >>> evaluation = robustinfo.judge(
    ...     model, x, model(x).argmax(1), epsilon=0.5, protocol="tiny", attacks=["fgsm", "pgd"])
    >>> evaluation.verdict
    'broken'
    >>> float(evaluation.clean_accuracy)
    1.0
    """
    chosen_device, ball_norm = options.device(str(device)), options.norm(norm)
    size = BY_NAME[options.protocol(protocol)]
    data = labelled_images(x, y, images or size.images, classes)
    if classes is None and not isinstance(model, str | Path):
        data = with_classes(data, _classes(model, data) - (abstain is not None))
    network = _network(model, data, chosen_device, mean, std, more=abstain is not None)
    other = None if twin is None else _network(twin, data, chosen_device, mean, std, name="twin")
    questions = Questions(
        ball=Ball(norm=ball_norm, epsilon=options.epsilon(str(epsilon), ball_norm)),
        size=size,
        images=images,
        attacks=attacks,
        crafted=read_images(adversarial),
        epsilons=[options.epsilon(str(one), ball_norm) for one in epsilons],
        seed=seed,
        device=chosen_device,
        batch_size=batch_size,
        abstain=options.abstain(abstain),
        loss=loss,
        folder=None if out is None else Path(out),
    )
    evaluation = ask(questions, network, data, twin=other, progress=_teller(progress))
    if out is not None:
        evaluation.save(out)
    return evaluation


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
    **settings: Any,  # noqa: ANN401
) -> Attacked:
    """Attack a network, with every success verified.

    name: of attacks/ (``robustinfo list attacks``). settings: its own, as ``steps=100``; pgd and
    its like have the numbers of the protocol ``medium``. model, x, y, mean, std: as in ``judge``.
    targets: (n,) labels that the images are to become; only of attacks that take two classes.
    Returns x_adv, like x, on the device; where there is no success, x itself. Raises UserError.

    >>> import torch, robustinfo
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
    if not isinstance(model, str | Path):
        data = with_classes(data, _classes(model, data))
    network = _network(model, data, chosen_device, mean, std)
    given = {"method": name} if isinstance(name, str) else dict(name)
    medium = BY_NAME["medium"]
    usual = protocol_attacks(medium, ball).get(given["method"])
    entry = (usual.entry if usual else {}) | given | settings
    ((_, chosen),) = select(medium, ball, [entry]).attacks.items()
    model_, labels = GradientSafe(network).eval(), data.labels
    goals = None if targets is None else torch.as_tensor(targets).to(chosen_device)
    parts = []
    every = to_float(data.images[:])
    for number, (part, label) in enumerate(memory_batches(every, labels)):
        images, right = part.to(chosen_device), label.to(chosen_device)
        draw = part_generator(chosen_device, seed, given["method"], number)
        if goals is None:
            parts.append(chosen.perturb(model_, images, right, generator=draw))
        else:
            rows = slice(sum(len(one[0]) for one in parts), None)
            goal = goals[rows][: len(right)]
            parts.append(perturb_towards(chosen.perturb, model_, images, goal, generator=draw))
    return Attacked(*(torch.cat([*every]) for every in zip(*parts, strict=True)))


def load(file: str | Path, device: str | torch.device = "cpu") -> nn.Module:
    """The network of a checkpoint that the pipeline wrote, in eval mode.

    Images (n, c, h, w) in [0, 1] -> logits (n, K). Its sha256 is checked. Raises UserError.

    >>> import robustinfo
    >>> robustinfo.load("model.safetensors")  # doctest: +SKIP
    """
    return checkpoint.network(checkpoint.load(Path(file)), device)


def _classes(model: nn.Module | Callable, data: LabelledImages) -> int:
    """K of a network's logits (n, K)."""
    return output_classes(model, tuple(data.images.shape[1:]), len(data.classes))


def _network(
    model: Model,
    data: LabelledImages,
    device: torch.device,
    mean: Numbers | None,
    std: Numbers | None,
    *,
    more: int = 0,
    name: str = "network",
) -> Guarded:
    """The network on the device, checked. more: logits than the data has classes."""
    about: dict[str, Any] = {"shape": tuple(data.images.shape[1:]), "device": device}
    about |= {"classes": len(data.classes) + more, "mean": mean, "std": std}
    if isinstance(model, str | Path):
        return sources.model(str(model), **about)
    return sources.in_memory(model, name=name, **about)


def _teller(progress: bool | Progress) -> Progress:
    """Where progress is told."""
    if callable(progress):
        return progress
    return partial(print, file=sys.stderr) if progress else lambda step: None
