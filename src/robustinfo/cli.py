"""``robustinfo`` on the command line: is this network's robustness real?

    robustinfo judge mymodule:build --data digits --norm linf --epsilon 0.2 --json

The exit code says the verdict: 0 if it holds against what was tried, 10 to 15 for the other
classes, worst first; 1 is an error, 2 a wrong option.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from torch import Generator, Tensor, nn

from robustinfo import budgets, catalogue, options, pictures, protocols, sources
from robustinfo.auditing import attacks_of
from robustinfo.batches import floats
from robustinfo.defended import attack_term
from robustinfo.evaluating import Evaluation, diagnostics_of, evaluate
from robustinfo.faults import Fault
from robustinfo.judging import CLASSES, HOLDS, Thresholds
from robustinfo.printing import as_json, printed

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
# 1 is an error and 2 a wrong option.
EXITS = {name: 10 + place for place, name in enumerate(CLASSES)} | {HOLDS: 0}
TIMED = 32  # images of the batch that is timed
MODEL = ", ".join(sources.FORMS)
SETS = [
    one
    for one in catalogue.names("datasets")
    if catalogue.reads("datasets", {"method": one}) == "images"
]
DATA = f"a folder of images by class, or {', '.join(SETS)}"


@app.callback()
def robustinfo() -> None:
    """Does a defence against adversarial examples really hold?"""


@app.command()
def judge(
    model: Annotated[str, typer.Argument(help=MODEL, show_default=False)],
    data: Annotated[str, typer.Option(help=DATA)],
    epsilon: Annotated[str, typer.Option(help="of the threat model, as 0.2 or 8/255")],
    norm: Annotated[str, typer.Option(help="linf or l2")] = "linf",
    budget: Annotated[str, typer.Option(help="90s, 20m or 2h")] = "20m",
    twin: Annotated[str | None, typer.Option(help="the same network, undefended")] = None,
    architecture: Annotated[
        str | None, typer.Option(help="of FILE.safetensors, as '{method: lenet5}'")
    ] = None,
    size: Annotated[int | None, typer.Option(help="of the images, in pixels")] = None,
    classes: Annotated[
        Path | None, typer.Option(help="those of a folder, in order: a line each, or JSON")
    ] = None,
    seed: Annotated[int, typer.Option(help="of whatever the attacks draw")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:1; else a GPU if there is")] = "",
    as_text: Annotated[bool, typer.Option("--json", help="print the verdict as JSON")] = False,
) -> None:
    """Attack a network, check the attacks, and say what the numbers support.

    Exit codes: 0 holds against what was tried, 10 invalid, 11 masked, 12 randomised or needs
    adaptive, 13 not converged, 14 broken, 15 no benefit; 1 error, 2 wrong option.
    """
    console = Console(stderr=True)
    try:
        ball, seconds = (
            protocols.Ball(norm=options.norm(norm), epsilon=options.epsilon(epsilon, norm)),
            options.seconds(budget),
        )
        where = options.device(device)
        most = protocols.SIZES[-1].images
        found = pictures.images(data, size=size, limit=most, names=classes)
        # Nothing has use for an architecture: the source says so.
        alone = not any(text.endswith(sources.CHECKPOINT) for text in (model, twin or model))
        networks = [
            sources.model(
                text,
                shape=tuple(found.images.shape[1:]),
                classes=len(found.classes),
                architecture=architecture if text.endswith(sources.CHECKPOINT) or alone else None,
                device=where,
            )
            for text in (model, twin)
            if text is not None
        ]
        term = _term(model, networks[0])
        each = budgets.seconds_each(networks[0], floats(found.images[:TIMED], where))
        cost = budgets.Cost(len(found.labels), len(networks), term is not None)
        chosen, upper = budgets.largest(each, ball, seconds, cost)
        x, y = floats(found.images[: chosen.images], where), found.labels[: chosen.images].to(where)
        about = f"{upper:.0f} s" if upper < 120 else f"{upper / 60:.0f} min"
        console.print(
            f"protocol {chosen.name} ({protocols.place(chosen)}): {len(y)} images, about {about} "
            f"on {where}; a larger --budget asks more",
            soft_wrap=True,
        )
        with console.status("") as status:
            evaluation = _evaluated(
                networks,
                term,
                x,
                y,
                len(found.classes),
                chosen,
                ball,
                Generator(where).manual_seed(seed),
                status.update,
            )
    except Fault as error:
        console.print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    if as_text:
        print(json.dumps(as_json(evaluation, ball, chosen), indent=2))
    else:
        Console().print(printed(evaluation, ball, chosen))
    raise typer.Exit(EXITS[evaluation.verdict])


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
