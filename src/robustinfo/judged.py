"""What ``robustinfo judge`` asks, in the process of the judged network: from names to a verdict.

Everything that imports torch, or calls a stranger's code, happens here.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Generator, Tensor, nn

from robustinfo import budgets, options, pictures, plain, protocols, sources
from robustinfo.auditing import attacks_of
from robustinfo.batches import floats
from robustinfo.defended import attack_term
from robustinfo.evaluating import Evaluation, diagnostics_of, evaluate
from robustinfo.faults import Fault
from robustinfo.judging import Thresholds
from robustinfo.options import Typed
from robustinfo.printing import as_json, printed
from robustinfo.sources._blamed import blamed, is_theirs
from robustinfo.sources._guarded import Guarded

TIMED = 32  # images of the batch that is timed


def answer(typed: dict[str, Any], paper: dict[str, Any]) -> dict[str, str]:
    """``verdict`` and the ``text`` to print, or the ``error`` in one line.

    typed: the fields of ``options.Typed``. paper: those of ``plain.Paper``, for the text.
    """
    given = Typed(**typed)
    try:
        return _judged(given, plain.Paper(**paper))
    except Fault as error:
        return {"error": str(error)}
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # of a stranger's code anything, SystemExit among it
        if not is_theirs(error):
            raise
        return {"error": f"{given.model} ended without a verdict: {blamed(error)}"}


def _judged(typed: Typed, paper: plain.Paper) -> dict[str, str]:
    """The verdict, or a Fault."""
    console, where = Console(stderr=True), options.device(typed.device)
    ball = protocols.Ball(norm=typed.norm, epsilon=typed.epsilon)
    most, names = protocols.SIZES[-1].images, typed.classes and Path(typed.classes)
    found = pictures.images(typed.data, size=typed.size, limit=most, names=names)
    networks = _networks(typed, found, where)
    notes = [note for network in networks for note in network.notes]
    for line in notes:  # what is said before anything is judged; of the images, too
        console.print(line, markup=False, soft_wrap=True)
    term = _term(typed.model, networks[0].network)
    each = budgets.seconds_each(networks[0], floats(found.images[:TIMED], where))
    cost = budgets.Cost(len(found.labels), len(networks), term is not None)
    size, upper = budgets.largest(each, ball, typed.seconds, cost)
    x, y = floats(found.images[: size.images], where), found.labels[: size.images].to(where)
    about = f"{upper:.0f} s" if upper < 120 else f"{upper / 60:.0f} min"
    console.print(
        f"protocol {size.name} ({protocols.place(size)}): {len(y)} images, about {about} "
        f"on {where}; a larger --budget asks more",
        soft_wrap=True,
    )
    draws = Generator(where).manual_seed(typed.seed)
    with console.status("") as status:
        evaluation = _evaluated(
            networks, term, x, y, len(found.classes), size, ball, draws, status.update
        )
    if typed.as_text:
        text = json.dumps(as_json(evaluation, ball, size) | {"notes": notes}, indent=2) + "\n"
    else:
        text = plain.text(printed(evaluation, ball, size), paper)
    return {"verdict": evaluation.verdict, "text": text}


def _networks(typed: Typed, found: pictures.Pictures, where: torch.device) -> list[Guarded]:
    """The network, and its twin if there is one."""
    texts = [text for text in (typed.model, typed.twin) if text is not None]
    # Where nothing has use for an architecture, the source says so.
    alone = not any(text.endswith(sources.CHECKPOINT) for text in texts)
    return [
        sources.model(
            text,
            shape=tuple(found.images.shape[1:]),
            classes=len(found.classes),
            architecture=typed.architecture if text.endswith(sources.CHECKPOINT) or alone else None,
            device=where,
        )
        for text in texts
    ]


def _evaluated(
    networks: list[nn.Module],
    term: Callable | None,
    x: Tensor,
    y: Tensor,
    classes: int,
    size: protocols.Size,
    ball: protocols.Ball,
    generator: Generator,
    note: Callable[[str], object],
) -> Evaluation:
    """The first network judged by the protocol; a second one is its twin."""
    entries, values = protocols.attacks(size, ball), x[0].numel()
    if term is not None:
        entries |= protocols.adaptive(size, ball)
    return evaluate(
        networks[0],
        x,
        y,
        classes=classes,
        attacks=attacks_of(entries, term=term),
        diagnostics=diagnostics_of(protocols.diagnostics(size, ball, values)),
        thresholds=Thresholds(twin="twin", huge_epsilon=ball.huge(values)),
        generator=generator,
        twin=networks[1] if len(networks) > 1 else None,
        note=note,
    )


def _term(text: str, network: nn.Module) -> Callable | None:
    return attack_term(Path(text), network) if text.endswith(sources.CHECKPOINT) else None
