"""What a setting or a quantity means, as it stands in the source beside what makes it.

A setting's meaning is its comment; a quantity's stands in the docstring of the ``outline`` that
names it. Both are for readers only: a better word makes no job run again.
"""

import ast
import inspect
import io
import re
import textwrap
import tokenize
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from pydantic import BaseModel

# Settings that mean the same wherever they stand; a comment beside one adds what is its own.
WORDS = {
    "norm": "of the perturbation: linf or l2",
    "epsilon": "radius of the ball around an image, in pixel values of [0, 1]",
    "step_size": "length of one step",
    "steps": "number of steps",
    "restarts": "number of runs, each from a new start",
    "probes": "the layers that measures read, and that a defence may work on",
    "activations": "the outputs that E_N and E_T are computed of",
    "training": "how the networks are trained; as in `pretrain`",
    "learning_rate": "of the optimizer",
}
QUANTITY = re.compile(r"^(?P<names>[\w/*{}]+(?:, [\w/*{}]+)*)  +(?P<said>\S.*)$")


@cache
def of_settings(model: type[BaseModel]) -> dict[str, str]:
    """{field: its meaning} of a model, of inherited fields, too; empty text where none is said."""
    said: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            said |= _comments(inspect.getsource(one))
    parts = {name: [WORDS.get(name, ""), said.get(name, "")] for name in model.model_fields}
    return {name: _as_yaml("; ".join(filter(None, both))) for name, both in parts.items()}


def of_quantities(*told: Any) -> dict[str, str]:  # noqa: ANN401 - modules and functions
    """{quantity: its meaning} from lines ``name, other  what it is`` of docstrings.

    Two spaces or more part them. A name may hold ``*``. A meaning goes on in indented lines.
    """
    found: dict[str, str] = {}
    names: list[str] = []
    for line in (line for one in told for line in (inspect.getdoc(one) or "").splitlines()):
        match = QUANTITY.match(line)
        if match:
            names = match["names"].split(", ")
            found |= dict.fromkeys(names, match["said"])
        elif line.startswith(" "):
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
        else:
            names = []
    return found


def of_quantity(name: str, known: dict[str, str]) -> str:
    """The meaning of one quantity, by its own name before a pattern; empty if none is said."""
    fitting = [said for pattern, said in known.items() if fnmatchcase(name, pattern)]
    return known.get(name, fitting[0] if fitting else "")


def _as_yaml(text: str) -> str:
    """A comment of a program as a study would say it: ``null``, ``true``, ``false``."""
    for python, yaml in (("None", "null"), ("True", "true"), ("False", "false")):
        text = re.sub(rf"\b{python}\b", yaml, text)
    return text


def _comments(source: str) -> dict[str, str]:
    """{field: comment} of a class: on the lines of the field, or alone on the lines above it."""
    source = textwrap.dedent(source)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {one.start[0]: one for one in tokens if one.type == tokenize.COMMENT}
    (body,) = ast.parse(source).body
    found = {}
    assert isinstance(body, ast.ClassDef)
    for field in body.body:
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        lines = [*range(field.lineno, (field.end_lineno or field.lineno) + 1)]
        above = field.lineno - 1
        while above in comments and comments[above].line.lstrip().startswith("#"):
            lines.insert(0, above)
            above -= 1
        texts = [comments[line].string.lstrip("# ") for line in lines if line in comments]
        found[field.target.id] = " ".join(
            one for one in texts if not one.startswith(("fmt:", "type:"))
        )
    return found
