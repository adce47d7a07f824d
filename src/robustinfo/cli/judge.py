"""``robustinfo judge``: attack a network, check the attacks, and give the verdict.

The exit code is the verdict: 0 if it holds against what was tried, 10 to 16 for the other
classes, worst first; 1 is an error, 2 a wrong option. Standard output holds the verdict alone. The
network runs in a process of its own (isolated.py), so that torch is not imported here: one that
ends its process, as by ``os._exit(0)``, is an error and never a verdict.
"""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from robustinfo.cli import isolated, parameters, plain
from robustinfo.core.errors import UserError
from robustinfo.evaluation import options, threat_options
from robustinfo.evaluation.checks import EXITS


def judge(
    model: Annotated[str, typer.Argument(help=parameters.MODEL, show_default=False)],
    data: Annotated[str, typer.Option(help=parameters.DATA)],
    epsilon: parameters.Epsilon = None,
    norm: parameters.Norm = None,
    threat: parameters.Threat = None,
    protocol: Annotated[
        str, typer.Option(help=f"how much is asked: {', '.join(options.PROTOCOLS)}")
    ] = "medium",
    budget: Annotated[
        str | None, typer.Option(help="90s, 20m or 2h: says which protocol fits into it here")
    ] = None,
    twin: Annotated[str | None, typer.Option(help="the same network, undefended")] = None,
    build: parameters.Build = None,
    build_args: parameters.BuildArgs = None,
    mean: parameters.Mean = None,
    std: parameters.Std = None,
    size: parameters.Size = None,
    classes: parameters.Classes = None,
    images: parameters.Images = None,
    attacks: Annotated[
        str | None,
        typer.Option(help="these instead of the protocol's: pgd,autoattack or {method: pgd, ...}"),
    ] = None,
    adversarial: Annotated[
        list[Path] | None, typer.Option(help="a file of images crafted before; may come again")
    ] = None,
    epsilons: Annotated[
        str | None, typer.Option(help="of the curve of accuracy by epsilon: 2/255,4/255")
    ] = None,
    abstain: Annotated[
        str | None,
        typer.Option(help="of a network with one logit more, to abstain: that is robust, or error"),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="of whatever the attacks draw", min=0, max=2**63 - 1)
    ] = 0,
    batch_size: Annotated[
        int | None, typer.Option(help="images at once; else as memory allows", min=1)
    ] = None,
    remedies: Annotated[
        bool | None,
        typer.Option(
            "--remedies/--no-remedies",
            help="where a check fails, make the attack that answers it; --remedies: also of a "
            "network of answers alone",
            show_default=False,
        ),
    ] = None,
    corruptions: Annotated[
        bool | None,
        typer.Option(
            "--corruptions/--no-corruptions",
            help="accuracy in noise, blur, weather and the like, too; from medium on it is there",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="a folder for report and results; a stopped run goes on from there"),
    ] = None,
    device: parameters.Device = "",
    as_json: Annotated[bool, typer.Option("--json", help="print the verdict as JSON")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="verdict and accuracies alone, no progress")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="every check, the passed ones too")
    ] = False,
) -> None:
    """Attack a network, check the attacks, and say what the numbers support.

    Exit codes: 0 holds against what was tried, 10 invalid, 11 masked, 12 randomised or needs
    adaptive, 13 not converged, 14 broken, 15 no benefit, 16 not enough was tried; 1 error, 2 wrong
    option.
    """
    if quiet and verbose:
        raise UserError("--quiet and --verbose: choose one")
    threats = threat_options.of_command(epsilon, norm, threat or ())
    chosen = options.Options(
        model=model,
        data=data,
        threats=threats.epsilons,
        union=threats.union,
        protocol=options.protocol(protocol),
        seconds=None if budget is None else options.seconds(budget),
        twin=twin,
        build=build,
        build_args=options.build_args(build_args),
        mean=options.by_channel(mean, "--mean"),
        std=options.by_channel(std, "--std"),
        size=size,
        classes=None if classes is None else str(classes),
        images=images,
        attacks=options.attacks(attacks),
        adversarial=[str(file) for file in adversarial or ()],
        epsilons=[] if epsilons is None else options.epsilons(epsilons, threats.only_norm()),
        abstain=options.abstain(abstain),
        seed=seed,
        device=device,
        batch_size=batch_size,
        remedies=remedies,
        corruptions=corruptions,
        out=None if out is None else str(out),
        as_json=as_json,
        detail="quiet" if quiet else "verbose" if verbose else "normal",
        command=shlex.join(["robustinfo", *sys.argv[1:]]),
    )
    raise typer.Exit(_print_verdict(chosen))


def _print_verdict(chosen: options.Options) -> int:
    """Print the verdict, and return its exit code. Raises UserError where there is none."""
    text_format = plain.TextFormat.from_console(Console())
    arguments = {"arguments": chosen._asdict(), "text_format": text_format._asdict()}
    try:
        result = isolated.call("robustinfo.cli.judge_process:run", arguments)
    except UserError as error:
        raise UserError(f"{chosen.model} {error}{_goes_on(chosen)}") from None
    except KeyboardInterrupt:
        typer.echo(f"stopped{_goes_on(chosen)}", err=True)
        raise
    if "ended" in result:
        raise UserError(f"{chosen.model} {result['ended']}{_goes_on(chosen)}")
    if "error" in result:
        raise UserError(result["error"])
    print(result["text"], end="", flush=True)
    return EXITS[result["verdict"]]


def _goes_on(chosen: options.Options) -> str:
    """What to do after a run that ended too early."""
    if not chosen.out:
        return "; with --out FOLDER the same command would go on where it ended"
    return f"; what is finished lies in {chosen.out}, and the same command goes on from there"
