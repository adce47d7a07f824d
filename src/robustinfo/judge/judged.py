"""What ``robustinfo judge`` asks, in the process of the judged network: from names to a verdict.

Everything that imports torch, or calls a stranger's code, happens here.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Generator, Tensor, nn

from robustinfo.core.batches import to_float
from robustinfo.core.errors import UserError
from robustinfo.core.settings import out_of_scale
from robustinfo.judge import budget, images, options, plain, protocol, sources
from robustinfo.judge.attacked import attacks_of
from robustinfo.judge.defended import attack_term
from robustinfo.judge.evaluate import Evaluation, evaluate
from robustinfo.judge.options import Typed
from robustinfo.judge.printing import as_json, printed
from robustinfo.judge.protocol import Ball, Size
from robustinfo.judge.sources._blamed import blamed, is_theirs
from robustinfo.judge.sources._guarded import Guarded

TIMED = 32  # images of the batch that is timed


def answer(typed: dict[str, Any], paper: dict[str, Any]) -> dict[str, str]:
    """``verdict`` and the ``text`` to print, or the ``error`` in one line.

    typed: the fields of ``options.Typed``. paper: those of ``plain.Paper``, for the text.
    """
    given = Typed(**typed)
    try:
        return _judged(given, plain.Paper(**paper))
    except UserError as error:
        return {"error": str(error)}
    # Of a stranger's code anything, SystemExit and KeyboardInterrupt among it: Ctrl-C goes to the
    # command, which ends this process.
    except BaseException as error:
        if not is_theirs(error):
            raise
        return {"error": f"{given.model} ended without a verdict: {blamed(error)}"}


def _judged(typed: Typed, paper: plain.Paper) -> dict[str, str]:
    """The verdict, or a UserError."""
    console, where = Console(stderr=True), options.device(typed.device)
    ball = Ball(norm=typed.norm, epsilon=typed.epsilon)
    most = protocol.SIZES[-1].images
    names = Path(typed.classes) if typed.classes else None
    found = images.images(typed.data, size=typed.size, limit=most, names=names)
    if problem := out_of_scale(typed.epsilon, typed.norm, found.images[0].numel()):
        raise UserError(f"--epsilon {typed.epsilon:g}: {problem}")
    networks = _networks(typed, found, where)
    notes = [note for network in networks for note in network.notes]
    for line in [*found.found.lines(), *notes]:  # before anything is judged
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    term = _term(networks[0])
    each = budget.seconds_each(networks[0], to_float(found.images[:TIMED], where))
    task = budget.Task(len(found.labels), found.images[0].numel(), len(networks), term is not None)
    size, upper = budget.largest(each, ball, typed.seconds, task)
    x, y = to_float(found.images[: size.images], where), found.labels[: size.images].to(where)
    about = f"{upper:.0f} s" if upper < 120 else f"{upper / 60:.0f} min"
    more = "a larger --budget asks more"
    if upper > typed.seconds:
        more = f"more than --budget {typed.seconds:.0f}s, and the least there is"
    console.print(
        f"protocol {size.name} ({protocol.place(size)}): {len(y)} images, about {about} "
        f"on {where}; {more}",
        soft_wrap=True,
    )
    draws = Generator(where).manual_seed(typed.seed)
    with console.status("") as status:
        evaluation = _evaluated(
            networks, term, x, y, len(found.classes), size, ball, draws, status.update
        )
    if typed.as_text:
        told = as_json(evaluation, size) | {"data": found.found._asdict(), "notes": notes}
        text = json.dumps(told, indent=2) + "\n"
    else:
        text = plain.text(printed(evaluation, size), paper)
    return {"verdict": evaluation.verdict.verdict, "text": text}


def _networks(typed: Typed, found: images.Pictures, where: torch.device) -> list[Guarded]:
    """The network, and its twin if there is one."""
    texts = [text for text in (typed.model, typed.twin) if text is not None]
    return [
        sources.model(
            text,
            shape=tuple(found.images.shape[1:]),
            classes=len(found.classes),
            device=where,
        )
        for text in texts
    ]


def _evaluated(
    networks: Sequence[nn.Module],
    term: Callable | None,
    x: Tensor,
    y: Tensor,
    classes: int,
    size: Size,
    ball: Ball,
    generator: Generator,
    note: Callable[[str], object],
) -> Evaluation:
    """The first network judged by the protocol; a second one is its twin."""
    attacks = protocol.attacks(size, ball, term=term is not None)
    diagnostics = protocol.diagnostics(size, ball, x[0].numel())
    return evaluate(
        networks[0],
        x,
        y,
        classes=classes,
        ball=ball,
        attacks=attacks_of({name: part.entry for name, part in attacks.items()}, term=term),
        diagnostics={name: part.entry for name, part in diagnostics.items()},
        generator=generator,
        twin=networks[1] if len(networks) > 1 else None,
        note=note,
    )


def _term(guard: Guarded) -> Callable | None:
    """What its defence adds to its loss; None where that is nothing, or nobody says."""
    if guard.checkpoint is None:
        return None
    return attack_term(guard.checkpoint, guard.network)
