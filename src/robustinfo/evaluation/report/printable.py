"""Texts that a page, a figure and a LaTeX file can hold, of names that may be anything.

Control characters, halves of surrogate pairs, what is no character, and marks that turn the
direction of writing are replaced, each by one.
"""

import unicodedata
from typing import Any

# Categories of Unicode: control characters, surrogates, separators of lines and of paragraphs.
UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")
TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # bidirectional classes
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(value: Any) -> Any:  # noqa: ANN401 - plain data of any form
    """Plain data, all of whose texts, those of keys, too, can be printed."""
    if isinstance(value, str):
        return "".join(REPLACEMENT if _is_unprintable(letter) else letter for letter in value)
    if isinstance(value, dict):
        return {printable(key): printable(part) for key, part in value.items()}
    return [printable(part) for part in value] if isinstance(value, list | tuple) else value


def _is_unprintable(letter: str) -> bool:
    nothing = ord(letter) & 0xFFFE == 0xFFFE  # U+FFFE, U+FFFF and their like are no characters
    category, direction = unicodedata.category(letter), unicodedata.bidirectional(letter)
    return nothing or category in UNPRINTABLE or direction in TURNS
