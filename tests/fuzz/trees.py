"""Folders of images as no one should have them: links, pipes, names, sizes, a class within one."""

import io
import os
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from PIL import Image

NAMES = (
    b"cat", b"dog", b"0", b"1", b"10", b"train", b"test", b"val", b"Train", b".hidden", b"a b",
    b"cat - Copy", b"cat ", b"caf\xe9", b"caf\xc3\xa9", b"\xff", b"a\nb", b"\x1b[2J", b"=1+1",
    b"$(touch x)", b"x;y", b"\xe2\x80\xae", b"-n", b"n" * 250, b"CAT", b"__pycache__", b"1.png",
)  # fmt: skip
FILES = (b"1.png", b"2.PNG", b"3.jpg", b"4.txt", b"\xff.png", b"a\nb.png", b"-.png", b"Thumbs.db")
SIZES = ((8, 8), (8, 8), (8, 8), (1, 1), (3, 9), (20_000, 1), (1, 20_000))


def trees(seed: int) -> Iterator[tuple[int, bool]]:
    """What ``plant`` builds a folder of, without end: a seed, and whether it is built at random."""
    draw = random.Random(seed)
    while True:
        yield draw.randrange(2**32), draw.random() < 0.9


def plant(top: Path, seed: int, wild: bool) -> None:
    """Build a folder of images: two good classes, and what the seed adds at random."""
    draw = random.Random(seed)
    for name in ("cat", "dog"):
        Path(top, name).mkdir(parents=True)
        for number in range(4):
            Path(top, name, f"{number}.png").write_bytes(_image((8, 8), "PNG"))
    for _ in range(draw.randrange(1, 5) if wild else 1):
        folders = [Path(folder) for folder, _, _ in os.walk(top)]
        _add(draw.choice(folders), draw)


def _add(folder: Path, draw: random.Random) -> None:
    place = os.fsencode(folder) + b"/"
    new, file = place + draw.choice(NAMES), place + draw.choice(FILES)
    try:
        match draw.randrange(9):
            case 0:
                os.mkdir(new)
            case 1 | 2:
                os.mkdir(new)
                _write(new + b"/" + draw.choice(FILES), draw)
            case 3:
                os.mkfifo(file)
            case 4:
                os.symlink(draw.choice((b"..", b".", b"../..", b"nowhere", b"cat", b"/dev")), new)
            case 5:
                os.symlink(draw.choice((b"0.png", b"/dev/zero", b"..", file, b"nowhere")), file)
            case 6 | 7:
                _write(file, draw)
            case 8:
                os.rename(draw.choice([*os.scandir(place)] or [place]), new)
    except OSError:  # it is there already, or cannot be
        return


def _write(file: bytes, draw: random.Random) -> None:
    with open(file, "xb") as written:
        written.write(_image(draw.choice(SIZES), draw.choice(("PNG", "PPM", "JPEG", "GIF"))))


@cache
def _image(size: tuple[int, int], kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 50).convert("RGB").save(buffer, kind)
    return buffer.getvalue()
