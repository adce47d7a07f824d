"""The classes of a folder of images, in the order of the network's logits.

A file's order, where there is one. Without one, folders that are numbers, or differ in one number
only (``class_2``, ``class_10``), are in the order of their numbers; all others are sorted by name,
as torchvision's ImageFolder sorts them.
"""

import json
import os
import re
import unicodedata
from pathlib import Path
from typing import Any

from robustinfo.datasets._storage import DataError
from robustinfo.datasets._tree import UNPRINTABLE, printable

NUMBERED = re.compile(r"(\D*)([0-9]+)(\D*)")
# What file managers and people add to the name of a copy.
COPY = re.compile(
    r"(.+?)(?:[ _.-]*\(\d+\)|[ _.-]+(?:copy|copie|copia|kopie|backup|bak)[ _-]*\(?\d*\)?|~)"
    r"|(?:copy|copie|copia|kopie) (?:\(\d+\) )?(?:of|de|di|von) (.+)",
    re.IGNORECASE,
)


def in_logit_order(root: Path, names: list[str]) -> tuple[list[str], str]:
    """The folders' names in the order of the logits, and a description of that order.

    Raises DataError where two of them seem to be one class.
    """
    _refuse_copies(root, names)
    parts = [part for name in names if (part := NUMBERED.fullmatch(name))]
    if len(parts) < len(names) or len({(part[1], part[3]) for part in parts}) > 1:
        return sorted(names), "by name"
    numbers = {name: int(part[2]) for name, part in zip(names, parts, strict=True)}
    if len({*numbers.values()}) < len(names):
        twice = [name for name in names if [*numbers.values()].count(numbers[name]) > 1]
        raise DataError(
            f"{root} has {' and '.join(sorted(twice)[:2])}, which are one number; merge or rename "
            "them, or name the classes in order in a file with --classes"
        )
    return sorted(names, key=numbers.__getitem__), "by number"


def read_names(file: Path) -> list[str]:
    """The classes in the order of a file: a line each, or JSON (a list, or name: place).

    Raises DataError.
    """
    if os.path.exists(file) and not os.path.isfile(file):  # a pipe may never end
        raise DataError(f"{file} is no file; name one with a line per class, or JSON")
    try:
        text = file.read_text("utf-8-sig")
        content: Any = json.loads(text) if file.suffix == ".json" else text.split("\n")
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file} does not name classes: {error}") from error
    if isinstance(content, dict):
        if sorted(map(str, content.values())) != sorted(map(str, range(len(content)))):
            raise DataError(
                f"{file} gives {len(content)} classes other places than 0 to {len(content) - 1}, "
                "each once; name all classes of the network, also those without images"
            )
        content = sorted(content, key=lambda name: int(content[name]))
    if not isinstance(content, list) or not all(isinstance(one, str) for one in content):
        raise DataError(f"{file} is no list of names and no mapping of names to places")
    classes = [one.strip() for one in content if one.strip()]
    if bad := [one for one in classes if UNPRINTABLE.search(one)]:
        raise DataError(f"{file} names {printable(bad[0])}, with characters that are not text")
    if len({*classes}) != len(classes):
        raise DataError(f"{file} names a class twice; the places would be unclear")
    return classes


def _refuse_copies(root: Path, names: list[str]) -> None:
    """Raise DataError for a copy beside its original: ``cat - Copy``, or ``cat`` with a blank."""
    known: dict[str, str] = {}
    for name in names:
        if (other := known.setdefault(_displayed(name), name)) != name:
            _refuse(root, other, name)
    for name in names:
        match = COPY.fullmatch(_displayed(name))
        if match and (copied := known.get(match[1] or match[2])):
            _refuse(root, copied, name)


def _refuse(root: Path, one: str, other: str) -> None:
    raise DataError(
        f"{root} has {one!r} and {other!r}, which look like one class and its copy; remove or "
        "merge one, or, if both are classes, name all in order in a file with --classes"
    )


def _displayed(name: str) -> str:
    """The name as displayed: accents composed (NFC), no blanks at its ends."""
    return unicodedata.normalize("NFC", name).strip()
