"""An entry on a command line: ``{method: ..., its numbers}`` in YAML, or the method's name."""

from collections.abc import Mapping

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from robustinfo.core import registry
from robustinfo.core.errors import UserError, one_line
from robustinfo.core.settings import Entry


def parsed(kind: str, text: str | Mapping) -> Entry:
    """The entry of a folder that a text writes, with whatever settings.

    Raises UserError if it is none.
    """
    try:
        content = YAML(typ="safe", pure=True).load(text) if isinstance(text, str) else dict(text)
    # Numbers of too many digits, and brackets within brackets without end, are errors of Python.
    except (YAMLError, ValueError, RecursionError) as error:
        problem = one_line(getattr(error, "problem", None) or error)
        raise UserError(f"{text!r:.200} is not YAML ({problem}); write {{method: ...}}") from None
    if isinstance(content, str):
        content = {"method": content}
    if not isinstance(content, dict):
        raise UserError(f"{text!r} is no entry of {kind}/; write {{method: ...}} and its numbers")
    return content


def entry(kind: str, text: str | Mapping) -> Entry:
    """The entry of a folder, e.g. ``entry("models", "{method: lenet5}")``, its settings checked.

    Raises UserError with the text, the problem and the choices.
    """
    content = parsed(kind, text)
    try:
        registry.config(kind, content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        choices = ", ".join(registry.module(kind, content).Config.model_fields) or "none"
        raise UserError(
            f"{text!r}: {place}: {first['msg']}, it reads {first['input']!r}; the numbers of "
            f"{content['method']} are: {choices}"
        ) from None
    except ValueError as error:
        raise UserError(f"{text!r}: {error}") from None
    return content
