"""Meanings of settings and quantities, from the source: for the schema and the reference page.

A setting's meaning is its comment; a quantity's stands in the docstring of the ``outline`` that
names it. Neither is part of a job's code: a better word makes no job run again.
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

# Settings that mean the same in every model; a comment beside one is added to its meaning.
COMMON_MEANINGS = {
    "norm": "of the perturbation: linf, l2 or l1, the sum of all changes",
    "epsilon": "radius of the ball around an image, in pixel values of [0, 1]",
    "step_size": "length of one step",
    "steps": "number of steps",
    "restarts": "number of runs, each from a new start",
    "probes": "the layers that measures read, and that a defence may work on",
    "activations": "the outputs that E_N and E_T are computed of",
    "training": "how the networks are trained; as in `pretrain`",
    "learning_rate": "of the optimizer",
}
QUANTITY = re.compile(r"^(?P<names>[\w/*{}]+(?:, [\w/*{}]+)*)  +(?P<meaning>\S.*)$")


@cache
def of_settings(model: type[BaseModel]) -> dict[str, str]:
    """{field: meaning} of a model, inherited fields included; empty where it has no comment."""
    meanings: dict[str, str] = {}
    for ancestor in reversed(model.__mro__):
        if issubclass(ancestor, BaseModel) and ancestor is not BaseModel:
            meanings |= _comments(inspect.getsource(ancestor))
    parts = {
        name: [COMMON_MEANINGS.get(name, ""), meanings.get(name, "")] for name in model.model_fields
    }
    return {name: _as_yaml("; ".join(filter(None, texts))) for name, texts in parts.items()}


def of_quantities(*documented: Any) -> dict[str, str]:  # noqa: ANN401 - modules and functions
    """{quantity: meaning} from lines ``name, other  meaning`` of docstrings.

    Two spaces or more part them. A name may hold ``*``. A meaning goes on in indented lines.
    """
    quantity_meanings: dict[str, str] = {}
    names: list[str] = []
    for line in (
        line for source in documented for line in (inspect.getdoc(source) or "").splitlines()
    ):
        match = QUANTITY.match(line)
        if match:
            names = match["names"].split(", ")
            quantity_meanings |= dict.fromkeys(names, match["meaning"])
        elif line.startswith(" "):
            quantity_meanings |= {
                name: f"{quantity_meanings[name]} {line.strip()}" for name in names
            }
        else:
            names = []
    return quantity_meanings


def of_quantity(name: str, known: dict[str, str]) -> str:
    """Meaning of one quantity, by its own name before a pattern; empty if there is none."""
    fitting = [meaning for pattern, meaning in known.items() if fnmatchcase(name, pattern)]
    return known.get(name, fitting[0] if fitting else "")


def _as_yaml(text: str) -> str:
    """A comment with YAML's constants for Python's: ``null``, ``true``, ``false``."""
    for python, yaml in (("None", "null"), ("True", "true"), ("False", "false")):
        text = re.sub(rf"\b{python}\b", yaml, text)
    return text


def _comments(source: str) -> dict[str, str]:
    """{field: comment} of a class: on the lines of the field, or alone on the lines above it."""
    source = textwrap.dedent(source)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {token.start[0]: token for token in tokens if token.type == tokenize.COMMENT}
    (body,) = ast.parse(source).body
    comment_of = {}
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
        comment_of[field.target.id] = " ".join(
            text for text in texts if not text.startswith(("fmt:", "type:"))
        )
    return comment_of
