"""``robustinfo.judge``: an evaluation of a network that a program has."""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from robustinfo.core.errors import UserError
from robustinfo.evaluation import options
from robustinfo.evaluation.evaluation import Evaluation
from robustinfo.evaluation.labelled import labelled_images
from robustinfo.evaluation.networks import (
    Model,
    Numbers,
    in_its_classes,
    network_of,
    options_of_twin,
)
from robustinfo.evaluation.own_images import read_images
from robustinfo.evaluation.progress import Progress
from robustinfo.evaluation.questions import Questions, ask
from robustinfo.evaluation.selection import Choice
from robustinfo.evaluation.sizes import BY_NAME
from robustinfo.evaluation.threat_options import of_program
from robustinfo.evaluation.threats import Ball
from robustinfo.evaluation.union.asking import ask_all
from robustinfo.evaluation.union.evaluation import UnionEvaluation


def judge(
    model: Model,
    x: Any,  # noqa: ANN401
    y: Any = None,  # noqa: ANN401
    *,
    epsilon: float | str | Mapping[str, float | str],
    norm: str | None = None,
    twin: Model | None = None,
    protocol: str = "medium",
    attacks: Choice | Sequence[Choice] | None = None,
    adversarial: Any = None,  # noqa: ANN401
    images: int | None = None,
    epsilons: Sequence[float | str] = (),
    classes: int | Sequence[str] | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    build: str | None = None,
    build_args: Mapping[str, Any] | None = None,
    abstain: str | None = None,
    loss: Callable | None = None,
    seed: int = 0,
    device: str | torch.device = "",
    batch_size: int | None = None,
    remedies: bool | None = None,
    corruptions: bool | None = None,
    out: str | Path | None = None,
    progress: bool | Progress = False,
) -> Evaluation | UnionEvaluation:
    """Judge a network: attack it, check the attacks, and say what the numbers support.

    Args:
        model: images (n, c, h, w) in [0, 1] -> logits (n, K): a module, of which a copy in eval
            mode is judged; a function of numpy arrays, known by its answers alone; or text as the
            command line has it (``timm:NAME``, a file).
        x: images (n, c, h, w), uint8 or floats in [0, 1]; or a DataLoader or Dataset with labels.
        y: labels (n,); of a DataLoader or Dataset, None.
        epsilon: radius of the ball, in pixel values of [0, 1], a number or ``"8/255"``. A mapping,
            ``{"linf": 8/255, "l2": 0.5}``, asks for an evaluation per threat model, on the same
            images, and their union: then a UnionEvaluation is returned.
        norm: linf (None), l2, or l1, the sum of all changes.
        twin: the same network without its defence.
        protocol: tiny, small, medium, large or full (``robustinfo plan``).
        attacks: instead of the protocol's, by name or entry; functions (model, x, y, generator=) ->
            x_adv are made beside them. Every success is verified.
        adversarial: images (n, c, h, w) that were crafted before, or a file of them.
        images: how many are judged, whatever the protocol says.
        epsilons: of the curve of accuracy by epsilon.
        classes: their number or names.
        mean: of the pixels, where the network wants (x - mean) / std; by channel, or one for all.
        std: likewise.
        build: ``module:Class``, of a network that is named by a class or a file of weights.
        build_args: keyword arguments of that class.
        abstain: what it is that the network abstains, where its last logit, of K + 1, says so:
            ``robust`` or ``error``.
        loss: (x, y) -> the term that the defence adds to its loss; the adaptive attack weighs it.
        seed: of whatever the attacks draw: the same seed, device and batch size give the same bits.
        device: by default a GPU if there is one.
        batch_size: images at once; None: as memory allows.
        remedies: where a check fails, the attacks that answer it are made, too, on what is still
            robust (``after_remedies``). False: never. True: also where the network is known by its
            answers alone, in about 41,600 queries of each image at most.
        corruptions: accuracy under common corruptions, too; None: from ``medium`` on.
        out: a folder for the report and all results, from which a stopped evaluation goes on.
        progress: True for lines on standard error, or a function of a progress.Step.

    Raises:
        UserError: what, where, why, and what to do.

    Examples:
        >>> import torch, robustinfo
        >>> _ = torch.manual_seed(0)
        >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 4))
        >>> x = torch.rand(64, 1, 4, 4)
        >>> evaluation = robustinfo.judge(
        ...     model, x, model(x).argmax(1), epsilon=0.5, protocol="tiny", attacks=["fgsm", "pgd"])
        >>> evaluation.verdict
        'broken'
        >>> float(evaluation.clean_accuracy)
        1.0
    """
    chosen_device, threats = options.device(str(device)), of_program(epsilon, norm)
    if images is not None and images < 1:
        raise UserError(f"{images} images judge nothing; write a positive number, or None")
    if isinstance(attacks, str | Mapping) or callable(attacks):
        attacks = [attacks]
    options.check_whole_numbers(seed, batch_size)
    size = BY_NAME[options.protocol(protocol)].with_corruptions(corruptions)
    abstain = options.abstain(abstain)
    data = labelled_images(x, y, images or size.images, classes)
    if classes is None:
        data = in_its_classes(model, data, more=abstain is not None)
    how: dict[str, Any] = {"build": build, "build_args": build_args}
    network = network_of(
        model, data, chosen_device, mean=mean, std=std, more=abstain is not None, **how
    )
    other = None
    if twin is not None:
        of_twin = options_of_twin(twin, model, how | {"mean": mean, "std": std})
        other = network_of(twin, data, chosen_device, name="twin", **of_twin)
    balls = [Ball(norm=name, epsilon=size) for name, size in threats.epsilons.items()]
    questions = Questions(
        ball=balls[0],
        size=size,
        images=images,
        attacks=attacks,
        crafted=read_images(adversarial),
        epsilons=[options.epsilon(str(one), threats.only_norm()) for one in epsilons],
        seed=seed,
        device=chosen_device,
        batch_size=batch_size,
        abstain=abstain,
        loss=loss,
        remedies=remedies,
        folder=None if out is None else Path(out),
    )
    with torch.inference_mode(False), torch.enable_grad():
        asked: dict[str, Any] = {"twin": other, "progress": _teller(progress)}
        evaluation: Evaluation | UnionEvaluation = (
            ask_all(questions, balls, network, data, **asked)
            if threats.union
            else ask(questions, network, data, **asked)
        )
    if out is not None:
        evaluation.save(out)
    return evaluation


def _teller(progress: bool | Progress) -> Progress:
    """Where progress is told."""
    if callable(progress):
        return progress
    return partial(print, file=sys.stderr) if progress else lambda step: None
