"""``robustinfo judge`` in the process of the judged network: from options to a verdict.

Everything that imports torch, or calls the user's code, happens here.
"""

import json
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Generator

from robustinfo.core.batches import to_float
from robustinfo.core.errors import UserError
from robustinfo.core.settings import out_of_scale
from robustinfo.evaluation import budget, options, plain, protocol, sources
from robustinfo.evaluation.attack_term import attack_term
from robustinfo.evaluation.by_protocol import evaluate_by_protocol
from robustinfo.evaluation.images import LabelledImages
from robustinfo.evaluation.images import images as load_images
from robustinfo.evaluation.options import Options
from robustinfo.evaluation.printing import as_json, render
from robustinfo.evaluation.sources._error_origin import error_with_origin, is_users
from robustinfo.evaluation.sources._guarded import Guarded
from robustinfo.evaluation.threats import Ball

TIMED = 32  # images of the batch that is timed


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
        return {"error": f"{chosen.model} ended without a verdict: {error_with_origin(error)}"}


def _run(chosen: Options, text_format: plain.TextFormat) -> dict[str, str]:
    """The verdict, or a UserError."""
    console, device = Console(stderr=True), options.device(chosen.device)
    ball = Ball(norm=chosen.norm, epsilon=chosen.epsilon)
    max_images = chosen.images or protocol.SIZES[-1].images
    class_file = Path(chosen.classes) if chosen.classes else None
    data = load_images(chosen.data, size=chosen.size, limit=max_images, class_file=class_file)
    values = prod(data.images.shape[1:])
    if problem := out_of_scale(chosen.epsilon, chosen.norm, values):
        raise UserError(f"--epsilon {chosen.epsilon:g}: {problem}")
    networks = _networks(chosen, data, device)
    notes = [note for network in networks for note in network.notes]
    for line in [*data.summary.lines(), *notes]:  # before anything is judged
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    term = _term(networks[0])
    seconds_each = budget.seconds_each(networks[0], to_float(data.images[:TIMED], device))
    task = budget.Task(len(data.labels), values, len(networks), term is not None, chosen.images)
    size, estimate = budget.largest_size(seconds_each, ball, chosen.seconds, task)
    labels = data.labels[: chosen.images or size.images]
    duration = f"{estimate:.0f} s" if estimate < 120 else f"{estimate / 60:.0f} min"
    hint = "a larger --budget asks more"
    if estimate > chosen.seconds:
        least = "fewer --images take less" if chosen.images else "and the least there is"
        hint = f"more than --budget {chosen.seconds:.0f}s, {least}"
    console.print(
        f"protocol {size.name} ({protocol.rank(size)}): {len(labels)} images, about {duration} "
        f"on {device}; {hint}",
        soft_wrap=True,
    )
    generator = Generator(device).manual_seed(chosen.seed)
    with console.status("") as status:
        evaluation = evaluate_by_protocol(
            size,
            networks[0],
            data.images,
            labels,
            classes=len(data.classes),
            ball=ball,
            generator=generator,
            term=term,
            twin=networks[1] if len(networks) > 1 else None,
            progress=status.update,
        )
    if chosen.as_json:
        content = as_json(evaluation, size) | {"data": data.summary._asdict(), "notes": notes}
        text = json.dumps(content, indent=2) + "\n"
    else:
        text = plain.text(render(evaluation, size), text_format)
    return {"verdict": evaluation.verdict.verdict, "text": text}


def _networks(chosen: Options, data: LabelledImages, device: torch.device) -> list[Guarded]:
    """The network, and its twin if there is one."""
    texts = [text for text in (chosen.model, chosen.twin) if text is not None]
    return [
        sources.model(
            text,
            shape=tuple(data.images.shape[1:]),
            classes=len(data.classes),
            device=device,
        )
        for text in texts
    ]


def _term(guard: Guarded) -> Callable | None:
    """The ``attack_term`` of its checkpoint's defence; None without a checkpoint or a term."""
    if guard.checkpoint is None:
        return None
    return attack_term(guard.checkpoint, guard.network)
