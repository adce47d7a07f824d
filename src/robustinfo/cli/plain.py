"""Text in the encoding of the terminal or file that it is printed to.

Standard output need not be UTF-8: there ``≤`` is written ``<=``.
"""

import codecs
import io
from typing import NamedTuple, Self

from rich.console import Console, RenderableType

SPELLED = {"≤": "<=", "≥": ">="}
ERRORS = "robustinfo.cli.plain"


class TextFormat(NamedTuple):
    """Encoding, width and colours of the output."""

    encoding: str
    width: int  # characters
    colours: str | None  # as rich calls them; None: none

    @classmethod
    def from_console(cls, console: Console) -> Self:
        """The format of a console's output."""
        return cls(console.encoding, console.width, console.color_system)


def text(content: RenderableType, text_format: TextFormat) -> str:
    """The content as ``rich`` prints it in this format."""
    file = io.TextIOWrapper(
        io.BytesIO(), encoding=text_format.encoding, errors=ERRORS, newline="\n"
    )
    console = Console(
        file=file,
        width=text_format.width,
        color_system=text_format.colours,  # type: ignore[arg-type]
        force_terminal=bool(text_format.colours),
    )
    console.print(content)
    file.flush()
    return file.buffer.getvalue().decode(text_format.encoding)


def _replacement(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    if all(letter in SPELLED for letter in letters):
        return "".join(SPELLED[letter] for letter in letters), error.end
    escaped, end = codecs.backslashreplace_errors(error)
    return str(escaped), end


codecs.register_error(ERRORS, _replacement)
