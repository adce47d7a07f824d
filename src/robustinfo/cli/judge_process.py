"""``robustinfo judge`` in the process of the judged network: from options to a verdict.

Everything that imports torch, or calls the user's code, happens here.
"""

import time
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.markup import escape

from robustinfo.cli import plain
from robustinfo.core.batches import to_float
from robustinfo.core.errors import UserError
from robustinfo.evaluation import budget, options, sizes
from robustinfo.evaluation.images import LabelledImages
from robustinfo.evaluation.images import images as load_images
from robustinfo.evaluation.networks import network_of, options_of_twin
from robustinfo.evaluation.options import Options
from robustinfo.evaluation.own_images import read_images
from robustinfo.evaluation.progress import Progress, Step
from robustinfo.evaluation.questions import Questions, as_attacked, ask
from robustinfo.evaluation.remedies import ANSWERS
from robustinfo.evaluation.remedies._mounting import bound
from robustinfo.evaluation.sources._error_origin import error_with_origin, is_users
from robustinfo.evaluation.sources._guarded import Guarded
from robustinfo.evaluation.terminal import render
from robustinfo.evaluation.threats import Ball
from robustinfo.evaluation.union import printing as union_printing
from robustinfo.evaluation.union.asking import ask_all
from robustinfo.evaluation.union.evaluation import UnionEvaluation

TIMED = 32  # images of the batch that is timed
PAUSE = 10  # seconds between lines of progress, where there is no terminal


def run(arguments: dict[str, Any], text_format: dict[str, Any]) -> dict[str, str]:
    """``verdict`` and the ``text`` to print, or the ``error`` in one line.

    arguments: the fields of ``options.Options``. text_format: those of ``plain.TextFormat``.
    """
    chosen = Options(**arguments)
    try:
        return _run(chosen, plain.TextFormat(**text_format))
    except UserError as error:
        return {"error": str(error)}
    # The user's code may raise SystemExit and KeyboardInterrupt, too: Ctrl-C goes to the
    # command, which ends this process.
    except BaseException as error:
        if not is_users(error):
            raise
        return {"ended": f"ended without a verdict: {error_with_origin(error)}"}


def _run(chosen: Options, text_format: plain.TextFormat) -> dict[str, str]:
    """The verdict, or a UserError."""
    console = Console(stderr=True, quiet=chosen.detail == "quiet")
    device = options.device(chosen.device)
    balls = [Ball(norm=norm, epsilon=epsilon) for norm, epsilon in chosen.threats.items()]
    questions = _questions(chosen, balls[0], device)
    class_file = Path(chosen.classes) if chosen.classes else None
    data = load_images(
        chosen.data, size=chosen.size, limit=questions.most_images, class_file=class_file
    )
    networks = _networks(chosen, data, device)
    notes = [note for network in networks for note in network.notes]
    lines = [*data.summary.lines(), *notes, _announced(chosen, questions, balls, data, networks)]
    for line in lines:  # before anything is judged
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    twin = networks[1] if len(networks) > 1 else None
    with console.status("") as status:
        tell: Progress = _Lines(console)
        if console.is_terminal:
            tell = lambda step: status.update(escape(str(step)))  # noqa: E731
        asked: dict[str, Any] = {"twin": twin, "progress": tell}
        found = (
            ask_all(questions, balls, networks[0], data, **asked)
            if chosen.union
            else ask(questions, networks[0], data, **asked)
        )
    if chosen.out:
        for file in found.save(chosen.out):
            console.print(f"wrote {file}", markup=False, highlight=False, soft_wrap=True)
    if chosen.as_json:
        text = found.to_json()
    elif isinstance(found, UnionEvaluation):
        text = plain.text(union_printing.render(found, chosen.detail), text_format)
    else:
        text = plain.text(render(found, chosen.protocol, chosen.detail), text_format)
    return {"verdict": found.verdict, "text": text}


def _questions(chosen: Options, ball: Ball, device: torch.device) -> Questions:
    return Questions(
        ball=ball,
        size=sizes.BY_NAME[chosen.protocol].with_corruptions(chosen.corruptions),
        images=chosen.images,
        attacks=chosen.attacks,
        crafted=read_images(chosen.adversarial),
        epsilons=chosen.epsilons,
        seed=chosen.seed,
        device=device,
        batch_size=chosen.batch_size,
        abstain=chosen.abstain,
        remedies=chosen.remedies,
        folder=Path(chosen.out) if chosen.out else None,
        command=chosen.command,
    )


def _networks(chosen: Options, data: LabelledImages, device: torch.device) -> list[Guarded]:
    """The network, and its twin if there is one."""
    about = {name: getattr(chosen, name) for name in ("build", "build_args", "mean", "std")}
    more = int(chosen.abstain is not None)
    networks = [network_of(chosen.model, data, device, more=more, **about)]
    if chosen.twin is not None:
        of_twin = options_of_twin(chosen.twin, chosen.model, about)
        networks.append(network_of(chosen.twin, data, device, **of_twin))
    return networks


def _announced(
    chosen: Options,
    questions: Questions,
    balls: list[Ball],
    data: LabelledImages,
    networks: list[Guarded],
) -> str:
    """The protocol and how long it takes; with a budget, the one that fits."""
    size = questions.size
    values = data.images[:1].numel()
    seconds_each = budget.seconds_each(networks[0], to_float(data.images[:TIMED], questions.device))
    term = as_attacked(networks[0], questions)[1]
    there = sum(data.summary.classes.values())
    task = budget.Task(
        there, values, len(networks), term is not None, chosen.images, chosen.corruptions
    )
    needed = {one.name: took for one, took in budget.estimates(seconds_each, balls, task)}
    text = (
        f"protocol {size.name} ({sizes.rank(size)}): "
        f"{len(data.labels[: questions.most_images])} images, at most about "
        f"{budget.duration(needed[size.name])} on {questions.device}"
        + _for_remedies(questions, networks[0])
    )
    if chosen.seconds is not None:
        fitting, estimate = budget.largest_size(seconds_each, balls, chosen.seconds, task)
        fits = "fits into" if estimate <= chosen.seconds else "is the least there is, beyond"
        text += (
            f"; --protocol {fitting.name} ({budget.duration(estimate)}) {fits} "
            f"--budget {chosen.seconds:.0f}s"
        )
    return text


class _Lines:
    """Progress in plain lines: of what has ended, at most one in PAUSE seconds, and the last."""

    def __init__(self, console: Console) -> None:
        self._console, self._last = console, -float("inf")

    def __call__(self, step: Step) -> None:
        now = time.monotonic()
        if not step.result or (now - self._last < PAUSE and step.fraction < 1):
            return
        self._last = now
        self._console.print(str(step), markup=False, highlight=False, soft_wrap=True)


def _for_remedies(questions: Questions, network: Guarded) -> str:
    """What remedies may add."""
    if questions.remedies is False or (network.answers_only and not questions.remedies):
        return ""
    if not network.answers_only:
        return ", and more for remedies if a check fails"
    queries = round(bound(questions.size, questions.ball, ANSWERS).queries)
    return f", and for remedies up to {queries:,} queries of an image that is still robust"
