"""Damaged images, and texts where JSON is read, drawn from a seed; files of safetensors, too."""

import io
import json
import random
import struct
import zlib
from collections.abc import Iterator
from functools import cache

from PIL import Image

MODES = ("RGB", "L", "P", "1", "RGBA", "CMYK", "I;16")
WORDS = ("classes", "method", "digits", "size", "a", "b", "0", "1", "é", "\ud800", "\x1b[31m", "\n")
# What breaks a parser that trusts its input.
HOSTILE = (
    "", " ", "{", "[", '"', "nul", "NaN", "-Infinity", "1e999", "9" * 5000, "[" * 5000,
    '{"a":' * 3000, '["\\ud800"]', '{"a": 0, "a": 1}', "\ufeff[]", "[1,]", "'a'", "\0", "\x1b[2J",
    "a\u2028b", "&a [*a]",
)  # fmt: skip


def images(seed: int) -> Iterator[tuple[str, bytes]]:
    """(format, content) without end: every format that Pillow writes and reads here, damaged."""
    draw, sound = random.Random(seed), [*_sound_images()]
    while True:
        kind, content = draw.choice(sound)
        wrong = bytearray(content)
        for _ in range(draw.choice((0, 1, 3, 10))):
            place = draw.randrange(min(len(wrong), draw.choice((32, 200, 10_000))))
            wrong[place] = draw.randrange(256)
        if draw.random() < 0.3:
            del wrong[draw.randrange(len(wrong)) :]
        if kind == "PNG" and draw.random() < 0.5:
            wrong[33:33] = _chunk(draw)
        yield kind, bytes(wrong)


def texts(seed: int) -> Iterator[str]:
    """Texts without end where JSON or YAML is read: right in form or not, and of any type."""
    draw = random.Random(seed)
    while True:
        text = draw.choice(HOSTILE)
        if draw.random() < 0.8:
            text = json.dumps(_value(draw, 3), ensure_ascii=draw.random() < 0.5)
            if draw.random() < 0.3:
                text = text[: draw.randrange(len(text) + 1)]
        yield text


def flips(seed: int, sound: bytes) -> Iterator[bytes]:
    """A file of safetensors without end: damaged by bits or cut, or with another header."""
    draw = random.Random(seed)
    while True:
        if draw.random() < 0.4:
            yield _header(draw) + bytes(draw.randrange(200))
            continue
        wrong = bytearray(sound)
        for _ in range(draw.choice((1, 1, 2, 8))):
            place = draw.randrange(draw.choice((8, 200, len(wrong))))
            wrong[place] ^= 1 << draw.randrange(8)
        if draw.random() < 0.2:
            del wrong[draw.randrange(len(wrong)) :]
        yield bytes(wrong)


def _header(draw: random.Random) -> bytes:
    """A header of safetensors, right in form or not; of any length that it says of itself."""
    size = draw.choice((-1, 0, 1, 7, 2**31, 2**62, 2**64))
    tensor: dict[str, object] = {
        "dtype": draw.choice(("F32", "F64", "U8", "BOOL", "F8_E4M3", "C64", "x", 7)),
        "shape": draw.choice(([], [0], [2], [size], [2**32, 2**32], [-2], ["2"], "2", None)),
        "data_offsets": draw.choice(([0, 8], [8, 0], [0, size], [4, 12], [], "0", [0, 2**70])),
    }
    if draw.random() < 0.3:
        del tensor[draw.choice([*tensor])]
    names = draw.choices(("model.a", "state.b", "images", "labels", "a" * 300, "\n", ""), k=2)
    content = {name: draw.choice((tensor, tensor, _value(draw, 2))) for name in names}
    if draw.random() < 0.7:
        about = draw.choice(HOSTILE) if draw.random() < 0.5 else json.dumps(_value(draw, 3))
        content["__metadata__"] = draw.choice(({"about": about}, {"classes": about}, about))
    text = json.dumps(content).encode()
    if draw.random() < 0.2:
        text = draw.choice(HOSTILE).encode()
    said = len(text) if draw.random() < 0.7 else max(0, size)
    return struct.pack("<Q", min(said, 2**64 - 1)) + text


def _value(draw: random.Random, depth: int) -> object:
    kind = draw.randrange(8 if depth else 6)
    if kind == 6:
        return [_value(draw, depth - 1) for _ in range(draw.randrange(4))]
    if kind == 7:
        return {draw.choice(WORDS): _value(draw, depth - 1) for _ in range(draw.randrange(4))}
    leaves = (None, True, draw.randrange(-2, 3), 10 ** draw.randrange(30), draw.random())
    return leaves[kind] if kind < 5 else draw.choice(WORDS)


def _sound_images() -> Iterator[tuple[str, bytes]]:
    """A small image in every format and mode that can be written and read."""
    Image.init()
    noise = Image.effect_noise((16, 16), 50)
    for kind in sorted({*Image.SAVE} & {*Image.OPEN}):
        for mode in MODES:
            buffer = io.BytesIO()
            try:
                noise.convert(mode).save(buffer, kind)
            except (OSError, ValueError, KeyError, TypeError):  # not of this mode, or not here
                continue
            yield kind, buffer.getvalue()


def _chunk(draw: random.Random) -> bytes:
    """A PNG chunk beside the pixels: a text or profile, also one that unpacks to very much."""
    packed = _packed(draw.choice((0, 100, 2_000_000, 100_000_000)))
    kind, content = draw.choice(
        [
            (b"zTXt", b"key\0\0" + packed),
            (b"iTXt", b"key\0\1\0\0\0" + packed),
            (b"iCCP", b"icc\0\0" + packed),
            (b"gAMA", b""),
            (b"tRNS", bytes(3)),
            (b"acTL", bytes(8)),
            (b"eXIf", b"II*\0\xff\xff\xff\xff"),
        ]
    )
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content) ^ (draw.random() < 0.1))
    )


@cache
def _packed(size: int) -> bytes:
    return zlib.compress(bytes(size))
