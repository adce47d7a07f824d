"""Studies changed at random: one to three changes of a text that is a study."""

import json
import random
import re
from collections.abc import Callable, Iterator
from io import StringIO
from itertools import islice
from typing import Any

from ruamel.yaml import YAML

from tests.fuzz.hostile import BLOCKS, BYTES, KEYS, SIGNS, VALUES

Draw = random.Random
VALUE = re.compile(r"(?<=[:\[,] )[^{}\[\],#\n]+")
KEY = re.compile(r"[\w-]+(?=:)")


def mutated(texts: list[str], seed: int) -> Iterator[tuple[str, bytes]]:
    """(kinds of change, content) without end. texts: studies that are taken."""
    draw = Draw(seed)
    while True:
        content, names = draw.choice(texts).encode(), []
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            name = draw.choices([*KINDS], WEIGHTS)[0]
            names.append(name)
            content = KINDS[name](content.decode(errors="replace"), draw)
        yield " + ".join(names), content


def _value(text: str, draw: Draw) -> bytes:
    return _replaced(text, draw, VALUE, draw.choice(VALUES))


def _key(text: str, draw: Draw) -> bytes:
    new = draw.choice(KEYS)
    if draw.random() < 0.3:  # a key of another place, or one letter less
        new = draw.choice(KEY.findall(text) or [new])[draw.randrange(2) :]
    return _replaced(text, draw, KEY, new)


def _replaced(text: str, draw: Draw, pattern: re.Pattern, new: str) -> bytes:
    found = [*pattern.finditer(text)]
    if not found:
        return f"{text}{new}\n".encode()
    one = draw.choice(found)
    return (text[: one.start()] + new + text[one.end() :]).encode(errors="replace")


def _line(text: str, draw: Draw) -> bytes:
    """A line removed, doubled, moved, indented, or emptied behind its key."""
    lines = text.splitlines() or [""]
    place = draw.randrange(len(lines))
    line, other = lines[place], draw.randrange(len(lines))
    changes = ([], [line, line], [f" {line}"], [line[1:]], [f"{line.partition(':')[0]}:"])
    lines[place : place + 1] = draw.choice(changes)
    if draw.random() < 0.3:
        lines.insert(other, line)
    return "\n".join([*lines, ""]).encode(errors="replace")


def _sign(text: str, draw: Draw) -> bytes:
    place = draw.randrange(len(text) + 1)
    return (text[:place] + draw.choice(SIGNS) + text[place:]).encode(errors="replace")


def _byte(text: str, draw: Draw) -> bytes:
    content = bytearray(text.encode(errors="replace")) or bytearray(b"a")
    for _ in range(draw.choice((1, 1, 2, 8))):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return bytes(content)


def _bytes(text: str, draw: Draw) -> bytes:
    if draw.random() < 0.1:
        return text.encode(draw.choice(("utf-16", "utf-32", "utf-8-sig")), errors="replace")
    content, place = text.encode(errors="replace"), draw.randrange(len(text) + 1)
    return content[:place] + draw.choice(BYTES) + content[place:]


def _block(text: str, draw: Draw) -> bytes:
    block = draw.choice(BLOCKS)
    return (block + text if draw.random() < 0.5 else text + block).encode(errors="replace")


def _cut(text: str, draw: Draw) -> bytes:
    place = draw.randrange(len(text) + 1)
    length = draw.choice((1, 20, 300, len(text)))
    return (text[:place] + text[place + length :]).encode(errors="replace")


MOST_PLACES = 20_000


def _structure(text: str, draw: Draw) -> bytes:
    """The study as it is read, with something at one place of another place, as JSON."""
    try:
        content = YAML(typ="safe", pure=True).load(StringIO(text))
        places = [*islice(_places(content), MOST_PLACES + 1)]
        if len(places) > MOST_PLACES:  # aliases of aliases: written out it would fill the memory
            return _byte(text, draw)
        holder, key = draw.choice(places)
        other, other_key = draw.choice(places)
        match draw.randrange(5):
            case 0:
                holder[key] = other[other_key]
            case 1:
                del holder[key]
            case 2:
                holder[key] = [holder[key], other[other_key]]
            case 3 if isinstance(holder, dict):
                holder[str(other_key)] = holder.pop(key)
            case _:
                value = draw.choice((None, 2**64, 1e300, True, "", "x" * 400, {}, [], -1, 10**400))
                holder[key] = value
        return json.dumps(content, indent=1).encode()
    except Exception:  # no study any more, by an earlier change; or one that contains itself
        return _byte(text, draw)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = enumerate(value) if isinstance(value, list) else ()
    for key, inner in value.items() if isinstance(value, dict) else items:
        yield value, key
        yield from _places(inner)


KINDS: dict[str, Callable[[str, Draw], bytes]] = {
    "another value": _value,
    "another key": _key,
    "a line": _line,
    "a sign": _sign,
    "a flipped bit": _byte,
    "bytes that are no text": _bytes,
    "a hostile block": _block,
    "a part left out": _cut,
    "another structure": _structure,
}
WEIGHTS = (6, 4, 4, 2, 2, 1, 1, 2, 4)  # of the kinds, in their order
