"""Small folders of images, in the current folder, which is a new one for every test."""

from pathlib import Path

import pytest
from PIL import Image


def paint(file, level=0, size=(4, 4), mode="L"):
    """One image, all of it of one level."""
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level, level, level)).convert(mode).save(file)


@pytest.fixture(name="paint")
def paint_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return paint


@pytest.fixture
def pets(paint):
    """Two classes in ``pets``, cat with levels 0 to 5, dog with 100 to 105."""
    for label, name in enumerate(["cat", "dog"]):
        for number in range(6):
            paint(f"pets/{name}/{number}.png", 100 * label + number)
    return Path("pets")
