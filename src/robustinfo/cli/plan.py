"""``robustinfo plan``: what each protocol asks and takes, before anything is judged."""

from typing import Annotated

import typer
from rich.console import Console

from robustinfo.cli import isolated, parameters, plain
from robustinfo.core.errors import UserError
from robustinfo.evaluation import options, threat_options


def plan(
    model: Annotated[
        str | None,
        typer.Argument(help=f"{parameters.MODEL}; none: passes alone", show_default=False),
    ] = None,
    data: Annotated[str | None, typer.Option(help=parameters.DATA)] = None,
    epsilon: parameters.Epsilon = None,
    norm: parameters.Norm = None,
    threat: parameters.Threat = None,
    build: parameters.Build = None,
    build_args: parameters.BuildArgs = None,
    mean: parameters.Mean = None,
    std: parameters.Std = None,
    size: parameters.Size = None,
    classes: parameters.Classes = None,
    images: parameters.Images = None,
    device: parameters.Device = "",
    as_json: Annotated[bool, typer.Option("--json", help="print the plan as JSON")] = False,
) -> None:
    """Say what the protocols ask and take here, and what differences can be seen.

    With a network, time and memory are measured on it; without one, its passes are counted.
    """
    unnamed = epsilon is None and not threat
    if model is not None and (data is None or unnamed):
        raise UserError(
            f"plan {model}: time and memory need its images and the threat model; "
            f"next: robustinfo plan {model} --data digits --epsilon 8/255"
        )
    if unnamed:
        epsilon = threat_options.EPSILONS[options.norm(norm or threat_options.DEFAULT)]
    threats = threat_options.of_command(epsilon, norm, threat or ())
    wanted = {
        "model": model,
        "data": data,
        "threats": threats.epsilons,
        "union": threats.union,
        "about": {
            "build": build,
            "build_args": options.build_args(build_args),
            "mean": options.by_channel(mean, "--mean"),
            "std": options.by_channel(std, "--std"),
        },
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
