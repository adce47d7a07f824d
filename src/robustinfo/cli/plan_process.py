"""``robustinfo plan`` in a process of its own: from options to a plan, measured on the network.

Everything that imports torch, or calls the user's code, happens here.
"""

import json
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from robustinfo.cli import plain
from robustinfo.cli.plan_tables import render
from robustinfo.core.batches import to_float
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Norm, out_of_scale
from robustinfo.evaluation import budget, options, planning
from robustinfo.evaluation.images import LabelledImages, images
from robustinfo.evaluation.networks import network_of
from robustinfo.evaluation.peak_memory import peaks_mib
from robustinfo.evaluation.sizes import SIZES
from robustinfo.evaluation.sources._error_origin import error_with_origin, is_users
from robustinfo.evaluation.threats import Ball

TIMED = 32  # images of the batch that is timed
VALUES = 3 * 32 * 32  # of an image, where no data are named
# Any epsilon takes as many passes, unless twice as much reaches any image.
EXAMPLES: dict[Norm, float] = {"linf": 8 / 255, "l2": 0.5, "l1": 12.0}


class Wanted(NamedTuple):
    """The options of ``robustinfo plan``, as JSON has them."""

    model: str | None  # None: passes alone
    data: str | None  # named with the model
    norm: Norm
    epsilon: float | None
    about: dict[str, Any]  # build, build_args, mean and std of the network, as sources.model has it
    size: int | None
    classes: str | None  # a file
    images: int | None
    device: str
    as_json: bool


def run(arguments: dict[str, Any], text_format: dict[str, Any]) -> dict[str, str]:
    """The plan as ``text`` to print, or the ``error`` in one line.

    arguments: the fields of Wanted. text_format: those of ``plain.TextFormat``.
    """
    wanted = Wanted(**arguments)
    try:
        found = plan(wanted)
        if wanted.as_json:
            return {"text": json.dumps(found, indent=2) + "\n"}
        return {"text": plain.text(render(found), plain.TextFormat(**text_format))}
    except UserError as error:
        return {"error": str(error)}
    except BaseException as error:  # the user's code may raise anything
        if not is_users(error):
            raise
        return {"error": f"{wanted.model} cannot be timed: {error_with_origin(error)}"}


def plan(wanted: Wanted) -> dict[str, Any]:
    """Threat model, device, what each protocol asks and takes, and what can be seen: plain data.

    Raises UserError.
    """
    ball = Ball(norm=wanted.norm, epsilon=wanted.epsilon or EXAMPLES[wanted.norm])
    data = None if wanted.data is None else _data(wanted)
    values = VALUES if data is None else prod(data.images.shape[1:])
    if problem := out_of_scale(ball.epsilon, ball.norm, values):
        raise UserError(f"--epsilon {ball.epsilon:g}: {problem}")
    counts = [wanted.images or size.images for size in SIZES]
    if data is not None:
        counts = [min(n, len(data.labels)) for n in counts]
    about = {"threat": ball.model_dump(), "model": wanted.model, "data": wanted.data}
    if wanted.model is None or data is None:
        here: dict[str, Any] = {"device": None, "notes": []}
        rows = planning.protocols(ball, values, counts)
    else:
        here, rows = _measured(wanted, data, ball, counts)
    return about | here | {"protocols": rows, "to_tell_apart": planning.to_tell_apart()}


def _data(wanted: Wanted) -> LabelledImages:
    class_file = Path(wanted.classes) if wanted.classes else None
    most = wanted.images or SIZES[-1].images
    return images(str(wanted.data), size=wanted.size, limit=most, class_file=class_file)


def _measured(
    wanted: Wanted, data: LabelledImages, ball: Ball, counts: list[int]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The device and notes on the network; the protocols with ``seconds`` and ``memory_mib``."""
    device = options.device(wanted.device)
    shape = data.images.shape[1:]
    network = network_of(str(wanted.model), data, device, **wanted.about)
    term = network.attack_term() is not None
    each = budget.seconds_each(network, to_float(data.images[:TIMED], device))
    notes = network.notes
    if network.answers_only:
        each = 0.0, each[1]
        notes = [*notes, f"{wanted.model} is known by its answers alone: no gradient is asked for"]
    task = budget.Task(len(data.labels), prod(shape), term=term, asked=wanted.images)
    times = [seconds for _, seconds in budget.estimates(each, ball, task)]
    diagnosed = [min(n, size.images) for n, size in zip(counts, SIZES, strict=True)]
    peaks = peaks_mib(network, data.images, diagnosed, device)
    rows = planning.protocols(ball, prod(shape), counts, term=term)
    for row, seconds, peak in zip(rows, times, peaks, strict=True):
        row |= {"seconds": seconds, "memory_mib": peak}
    return {"device": str(device), "notes": notes}, rows
