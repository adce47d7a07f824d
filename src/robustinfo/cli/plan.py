"""``robustinfo plan``: what each protocol asks and takes, before anything is judged."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from robustinfo.cli import isolated, plain
from robustinfo.cli.judge import DATA, MODEL
from robustinfo.core.errors import UserError
from robustinfo.evaluation import options


def plan(
    model: Annotated[
        str | None, typer.Argument(help=f"{MODEL}; none: passes alone", show_default=False)
    ] = None,
    data: Annotated[str | None, typer.Option(help=DATA)] = None,
    epsilon: Annotated[
        str | None, typer.Option(help="of the threat model, as 0.2 or 8/255")
    ] = None,
    norm: Annotated[str, typer.Option(help="linf or l2")] = "linf",
    size: Annotated[int | None, typer.Option(help="of the images, in pixels", min=1)] = None,
    classes: Annotated[
        Path | None, typer.Option(help="those of a folder, in order: a line each, or JSON")
    ] = None,
    images: Annotated[
        int | None, typer.Option(help="how many, whatever the protocol says", min=1)
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:1; else a GPU if there is")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print the plan as JSON")] = False,
) -> None:
    """Say what the protocols ask and take here, and what differences can be seen.

    With a network, time and memory are measured on it; without one, its passes are counted.
    """
    if model is not None and None in (data, epsilon):
        raise UserError(
            f"plan {model}: time and memory need its images and the threat model; "
            f"next: robustinfo plan {model} --data digits --epsilon 8/255"
        )
    ball_norm = options.norm(norm)
    wanted = {
        "model": model,
        "data": data,
        "norm": ball_norm,
        "epsilon": None if epsilon is None else options.epsilon(epsilon, ball_norm),
        "size": size,
        "classes": None if classes is None else str(classes),
        "images": images,
        "device": device,
        "as_json": as_json,
    }
    text_format = plain.TextFormat.from_console(Console())
    given = {"arguments": wanted, "text_format": text_format._asdict()}
    found = isolated.call("robustinfo.cli.plan_process:run", given)
    if "error" in found:
        raise UserError(found["error"])
    typer.echo(found["text"], nl=False)
