"""``robustinfo list KIND``: the names of what is here, each with a line on it.

They are read from the text of the files, so that torch is not imported.
"""

import json
from collections.abc import Callable
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from robustinfo.cli import plain
from robustinfo.core import method_source, registry
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Norm
from robustinfo.evaluation.checks import CHECKS, CLASSES, EXITS, SIGNS
from robustinfo.evaluation.sizes import SIZES

Row = dict[str, str | int]


def list_names(
    kind: Annotated[str, typer.Argument(help="attacks, protocols ...; none: all kinds")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print them as JSON")] = False,
) -> None:
    """List attacks, defences, measures, data sets, protocols, checks ..., each with a line."""
    if not kind:
        typer.echo("\n".join(KINDS))
        return
    if kind not in KINDS:
        raise UserError(f"there is no list of {kind!r}; choose from {', '.join(KINDS)}")
    rows = KINDS[kind](kind)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for column in rows[0]:
        table.add_column(column, no_wrap=column == "name")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row.values()))
    typer.echo(plain.text(table, plain.TextFormat.from_console(Console())), nl=False)


def _methods(kind: str) -> list[Row]:
    return [
        {"name": name, "what": method_source.summary(kind, name)} for name in registry.names(kind)
    ]


def _attacks(kind: str) -> list[Row]:
    return [
        {
            "name": name,
            "role": method_source.constant(kind, name, "ROLE"),
            "norms": _norms(name),
            "what": method_source.summary(kind, name),
        }
        for name in registry.names(kind)
    ]


def _norms(attack: str) -> str:
    """``linf, l2, l1``, or some of them; of texts, whose distance none takes, nothing."""
    if method_source.constant("attacks", attack, "READS") == "texts":
        return "of texts"
    annotation = method_source.field_type("attacks", attack, "norm")
    return ", ".join(
        norm for norm in get_args(Norm) if annotation == "Norm" or repr(norm) in annotation
    )


def _protocols(kind: str) -> list[Row]:
    return [size._asdict() for size in SIZES]


def _checks(kind: str) -> list[Row]:
    return [
        {
            "name": check.name,
            "asked": SIGNS[check.rule]
            + (" by classes" if callable(check.threshold) else f" {check.threshold:g}"),
            "a failure is": check.verdict,
            "what it means": check.meaning,
        }
        for check in CHECKS
    ]


def _verdicts(kind: str) -> list[Row]:
    return [{"name": name, "exit code": EXITS[name]} for name in CLASSES]


KINDS: dict[str, Callable[[str], list[Row]]] = {
    **dict.fromkeys(registry.VERBS, _methods),
    "attacks": _attacks,
    "protocols": _protocols,
    "checks": _checks,
    "verdicts": _verdicts,
}
