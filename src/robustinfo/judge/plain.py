"""A text for a terminal or a file of somebody else's, in the letters that it can hold.

Standard output need not be UTF-8: what ``≤`` means is written ``<=`` there.
"""

import codecs
import io
from typing import NamedTuple, Self

from rich.console import Console, RenderableType

SPELLED = {"≤": "<=", "≥": ">="}
ERRORS = "robustinfo.judge.plain"


class TextFormat(NamedTuple):
    """What a text is written on."""

    encoding: str
    width: int  # letters
    colours: str | None  # as rich calls them; None: none

    @classmethod
    def from_console(cls, console: Console) -> Self:
        """What a console writes on."""
        return cls(console.encoding, console.width, console.color_system)


def text(content: RenderableType, text_format: TextFormat) -> str:
    """As ``rich`` prints it there."""
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
