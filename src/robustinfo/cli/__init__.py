"""``robustinfo`` on the command line: is this network's robustness real?

    robustinfo judge mymodule:build --data digits --norm linf --epsilon 0.2 --json
    robustinfo judge mymodule:build --data digits --threat linf:0.2 --threat l2:1
    robustinfo plan                 what each protocol asks and takes, and what it can see
    robustinfo list attacks         the names of what is here
    robustinfo --install-completion

Each command is a file of this package.
"""

from typing import Annotated

import typer

from robustinfo.cli import judge, plan
from robustinfo.cli.command_line import CommandLine
from robustinfo.cli.list import list_names

app = typer.Typer(cls=CommandLine, pretty_exceptions_enable=False)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # slow

        typer.echo(f"robustinfo {version('robustinfo')}")
        raise typer.Exit


@app.callback()
def robustinfo(
    version: Annotated[
        bool,
        typer.Option("--version", help="print it", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Does a defence against adversarial examples really hold?"""


app.command()(judge.judge)
app.command()(plan.plan)
app.command("list")(list_names)
