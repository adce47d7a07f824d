"""Image files that are damaged, huge or unusual: read, or an error of one line that names them."""

import io
import random
import struct
import warnings
import zlib
from pathlib import Path

import pytest
from PIL import Image
from torchvision.datasets.folder import IMG_EXTENSIONS
from typer.testing import CliRunner

from robustinfo.cli import app
from robustinfo.core.errors import UserError
from robustinfo.datasets._image import read_image
from robustinfo.datasets._tree import ENDINGS
from robustinfo.evaluation.images import images


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(level=9, before=b"", after=b""):
    """8 x 8 grey pixels, with other chunks before or after them."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress((b"\0" + bytes([level]) * 8) * 8))
    return b"\x89PNG\r\n\x1a\n" + head + before + rows + after + chunk(b"IEND", b"")


def packed(size):
    return zlib.compress(b"a" * size)


@pytest.mark.parametrize(
    "beside",
    [
        chunk(b"zTXt", b"history\0\0" + packed(3_000_000)),
        chunk(b"iTXt", b"history\0\1\0\0\0" + packed(3_000_000)),
        chunk(b"iCCP", b"icc\0\0" + packed(3_000_000)),
    ],
)
def test_a_long_text_or_profile_beside_the_pixels_does_no_harm(tmp_path, beside):
    (tmp_path / "1.png").write_bytes(png(9, beside))
    assert (read_image(tmp_path / "1.png", None)[0] == 9).all()


BROKEN = {
    "bomb.png": png(before=chunk(b"zTXt", b"history\0\0" + packed(200_000_000))),
    "cut-gamma.png": png(after=chunk(b"gAMA", b"")),
    "cut-pixels.png": png()[:-30],
    "huge.png": png().replace(struct.pack(">II", 8, 8), struct.pack(">II", 60_000, 60_000)),
    "no-more.png": b"\x89PNG no more",
    "empty.png": b"",
    "cut-header.pgm": b"P5\n8",
    "half.ppm": b"P3\n2 2\n255\n1 2\n",
    "wrong-depth.pgm": b"P5\n8 8\n25x\n" + bytes(64),
    "cut.dds.png": b"DDS \x7c\0\0\0",
    "cut.sgi.png": b"\x01\xda\x01\x01" + bytes(20),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_pillow_refuses_in_any_way_is_named_in_one_line(paint, name):
    paint("photos/a/good.png")
    Path("photos/a", name).write_bytes(BROKEN[name])
    with pytest.raises(
        UserError, match=rf"^photos/a/{name} is no readable image \(.+\); remove or"
    ):
        images("photos")


def test_judge_ends_with_that_line_and_no_traceback(paint):
    paint("photos/a/good.png")
    Path("photos/a/bad.pgm").write_bytes(BROKEN["half.ppm"])
    said = CliRunner().invoke(app, ["judge", "mine:net", "--data", "photos", "--epsilon", "0.1"])
    assert said.exit_code == 1 and said.exception.args == (1,)
    assert said.stderr.startswith("error: photos/a/bad.pgm is no readable image (")
    assert said.stderr.count("\n") == 1


@pytest.mark.parametrize("error", [MemoryError(), IndexError("3"), struct.error("two\nlines")])
def test_whatever_a_reader_raises_becomes_that_line(tmp_path, monkeypatch, error):
    def fails(*_):
        raise error

    monkeypatch.setattr(Image, "open", fails)
    with pytest.raises(UserError, match=r"1\.png is no readable image \(.+\); remove") as caught:
        read_image(tmp_path / "1.png", None)
    assert "\n" not in str(caught.value)


def test_files_with_wrong_bytes_are_read_or_refused_and_never_end_otherwise(tmp_path):
    draw, file, sound = random.Random(0), tmp_path / "1.png", []
    for kind in ("PNG", "JPEG", "PPM", "BMP", "TIFF", "WEBP", "SGI", "IM", "DDS"):
        buffer = io.BytesIO()
        Image.effect_noise((16, 16), 50).convert("RGB").save(buffer, kind)
        sound.append(buffer.getvalue())
    refused = 0
    for _ in range(300):
        wrong = bytearray(draw.choice(sound))
        for _ in range(3):
            wrong[draw.randrange(min(len(wrong), 120))] = draw.randrange(256)
        file.write_bytes(wrong[: draw.choice((20, 100, None))])
        with warnings.catch_warnings(action="ignore"):
            try:
                assert read_image(file, 8)[0].shape[1:] == (8, 8)
            except UserError as fault:
                refused += 1
                assert str(fault).startswith(str(file)) and "\n" not in str(fault)
    assert 100 < refused < 300


@pytest.mark.parametrize("size", [(100_000, 1), (1, 100_000)])
def test_an_image_that_a_size_would_blow_up_is_named(paint, size):
    paint("long/a/1.png", size=size)
    with pytest.raises(
        UserError, match=r"long/a/1.png of \d+ x \d+ pixels would have more than 178"
    ):
        images("long", size=224)


def test_the_endings_are_those_of_image_folder():
    assert set(ENDINGS) == set(IMG_EXTENSIONS)
