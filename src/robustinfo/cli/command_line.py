"""How every command ends: an error is one line on standard error, and what to copy below it.

A ``UserError`` ends with 1, a wrong option with 2, as shells have it, Ctrl-C with 130.
"""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from robustinfo.core.errors import UserError, message_lines

# The base of all errors of options: click's, or typer's own copy of it in later versions.
WRONG_OPTION: Any = typer.BadParameter.__base__


class CommandLine(TyperGroup):
    """The group of all commands."""

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        **extra: Any,  # noqa: ANN401 - as typer has it
    ) -> NoReturn:
        """Run a command, by default that of ``sys.argv``, and exit; without any, print the help."""
        args = [*(sys.argv[1:] if args is None else args)] or ["--help"]
        try:
            status = super().main(args, prog_name, **extra | {"standalone_mode": False})
        except UserError as error:
            _fail(str(error), 1)
        except WRONG_OPTION as error:
            command = error.ctx.command_path if error.ctx else "robustinfo"
            _fail(f"{error.format_message().rstrip('.')} (see {command} --help)", 2)
        sys.exit(status)


def _fail(message: str, status: int) -> NoReturn:
    """Print an error and exit. Not by ``rich``, which reads ``:-1:`` as an emoji."""
    typer.secho(f"error: {message_lines(message)}", fg="red", err=True)
    sys.exit(status)
