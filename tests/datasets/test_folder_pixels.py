"""Pixels of an image file: 8 bits, as a viewer shows them; what was done to them is said."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from robustinfo.core.errors import UserError
from robustinfo.evaluation.images import images

LAID = "images not opaque everywhere, and laid on white: "


def test_images_of_16_bits_are_refused_instead_of_clipped(paint):
    paint("deep/x/1.png")
    Image.new("I;16", (4, 4), 40_000).save("deep/x/1.png")
    with pytest.raises(UserError, match=r"1\.png has I;16 pixels, not 8 bits; convert it"):
        images("deep")


@pytest.mark.parametrize("kind, samples, mode", [(2, 3, "RGB"), (4, 2, "LA"), (6, 4, "RGBA")])
def test_colours_and_alpha_of_16_bits_are_refused_too(paint, kind, samples, mode):
    paint("deep/x/1.png")
    Path("deep/x/1.png").write_bytes(png_of_16_bits(kind, samples))
    with pytest.raises(UserError, match=rf"1\.png has {mode};16B pixels, not 8 bits; convert it"):
        images("deep")


@pytest.mark.parametrize("most", [256, 1_023, 65_535])
def test_a_ppm_of_more_than_8_bits_is_refused(paint, most):
    paint("deep/x/1.ppm")
    Path("deep/x/1.ppm").write_bytes(b"P6 4 4 %d\n" % most + bytes(4 * 4 * 3 * 2))
    with pytest.raises(UserError, match=r"1\.ppm has RGB;16B pixels, not 8 bits; convert it"):
        images("deep")


def png_of_16_bits(kind, samples):
    """4 x 4 pixels of one of PNG's colour types, which Pillow does not write."""

    def chunk(name, data):
        size, check = len(data).to_bytes(4), zlib.crc32(name + data).to_bytes(4)
        return size + name + data + check

    header = struct.pack(">IIBBBBB", 4, 4, 16, kind, 0, 0, 0)
    rows = zlib.compress(4 * bytes(1 + 4 * 2 * samples))
    parts = (b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in parts)


@pytest.mark.parametrize("mode, channels", [("1", 1), ("P", 3), ("RGBA", 3), ("LA", 3)])
def test_other_pixels_of_8_bits_become_grey_or_colour(paint, mode, channels):
    paint("one/x/1.png", 255, mode=mode)
    found = images("one")
    assert found.images.shape == (1, channels, 4, 4) and found.images[:].min() == 255
    assert found.summary.notes == []


def drawing(alpha):
    """A black square that has this alpha, on a black ground that nobody sees."""
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[1:3, 1:3, 3] = alpha
    return Image.fromarray(pixels)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_black_drawing_on_a_transparent_ground_is_laid_on_white(paint, mode):
    paint("ink/x/1.png")
    drawing(255).convert(mode).save("ink/x/1.png")
    found = images("ink")
    expected = torch.full((4, 4), 255)
    expected[1:3, 1:3] = 0
    assert found.images[:].equal(expected.byte().expand(1, 3, 4, 4))
    assert found.summary.notes == [f"{LAID}1"]


def test_what_half_shines_through_is_half_as_dark(paint):
    paint("ink/x/1.png")
    drawing(51).save("ink/x/1.png")  # a fifth
    assert images("ink").images[:][0, 0, 1, 1] == 204


@pytest.mark.parametrize("mode", ["L", "P", "RGB"])
def test_a_colour_that_is_declared_transparent_is_laid_on_white_too(paint, mode):
    paint("key/x/1.png")
    image = Image.new("L", (4, 4), 50)
    image.paste(0, (0, 0, 2, 2))
    image = image.convert(mode)
    image.save("key/x/1.png", transparency=(0, 0, 0) if mode == "RGB" else image.getpixel((0, 0)))
    found = images("key")
    assert found.images[:][0, 0].unique().tolist() == [50, 255]
    assert found.images.shape[1] == (1 if mode == "L" else 3) and found.summary.notes == [
        f"{LAID}1"
    ]


def test_an_alpha_channel_that_is_opaque_changes_nothing(paint):
    paint("same/x/1.png")
    noise = Image.merge("RGB", [Image.effect_noise((4, 4), 90)] * 3)
    noise.convert("RGBA").save("same/x/1.png")
    found = images("same")
    assert found.images[:][0].permute(1, 2, 0).numpy().tolist() == np.asarray(noise).tolist()
    assert found.summary.notes == []


def test_an_image_is_turned_as_its_exif_orientation_says(paint):
    paint("photo/x/1.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise
    wide = Image.new("L", (4, 2))
    wide.paste(255, (0, 0, 2, 2))
    wide.save("photo/x/1.png", exif=exif)
    found = images("photo")
    assert found.images[:][0, 0].tolist() == [[255, 255]] * 2 + [[0, 0]] * 2
    assert found.summary.notes == ["images turned as their EXIF orientation says: 1"]


def test_of_several_frames_the_first_is_read_and_that_is_said(paint):
    paint("film/x/1.png", 10)
    frames = [Image.new("L", (4, 4), level) for level in (10, 200)]
    frames[0].save("film/x/1.png", save_all=True, append_images=frames[1:])
    found = images("film")
    assert (found.images[:] == 10).all()
    assert found.summary.notes == ["images of several frames, of which the first is read: 1"]
