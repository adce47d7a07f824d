"""``robustinfo`` on the command line: is this network's robustness real?

    robustinfo judge mymodule:build --data digits --norm linf --epsilon 0.2 --json

Each command is a file of this package.
"""

import typer

from robustinfo.cli import judge

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def robustinfo() -> None:
    """Does a defence against adversarial examples really hold?"""


app.command()(judge.judge)
