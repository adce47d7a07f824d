"""Whatever a file holds, it is read, or refused in one line that names it: no other error."""

import json
import warnings
from collections import Counter
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from robustinfo.core import checkpoint, sealed
from robustinfo.core.entries import entry
from robustinfo.core.errors import UserError, one_line
from robustinfo.datasets import _classes, _storage
from robustinfo.datasets._image import read_image
from robustinfo.evaluation.sources import model
from tests import wrong_files
from tests.checkpoints import untrained

FIELDS = (
    checkpoint.ARCHITECTURE,
    checkpoint.SHAPE,
    checkpoint.CLASSES,
    checkpoint.DEFENCE,
    "torch",  # of which nothing depends
)
MANY = 150  # of each kind in every run


def read_an_image(file, content, number):
    file.write_bytes(content[1])
    pixels, _ = read_image(file, 8)
    assert pixels.shape[1:] == (8, 8) and pixels.dtype == torch.uint8


def read_class_names(file, content, number):
    file = file.with_suffix(".json" if number % 2 else ".txt")
    file.write_bytes(content.encode(errors="surrogatepass"))
    names = _classes.read_names(file)
    assert len({*names}) == len(names) and all(names) and all(one_line(one) for one in names)


def read_data(file, content, number):
    images, labels = torch.zeros(2, 1, 8, 8, dtype=torch.uint8), torch.tensor([0, 1])
    metadata = {"classes": '["a", "b"]', "source": "drawn", "settings": "{}"}
    metadata["sha256"] = _storage.digest(images.numpy(), labels.numpy())
    key = [*metadata, "vocabulary"][number % 5]
    metadata[key] = content.encode(errors="replace").decode()
    save_file({"images": images, "labels": labels}, file, metadata)
    _, _, found = _storage.read(file)
    names = json.loads(found["classes"])
    assert len(names) >= 2 and all(isinstance(one, str) for one in names)
    assert isinstance(json.loads(found["settings"]), dict)


def read_checkpoint(file, content, number):
    """A network whose seal is right and whose description is not; or of no right seal."""
    content = content.encode(errors="replace").decode()
    one = untrained({"method": "lenet5"}, (1, 16, 16), 7)
    about = checkpoint.network_metadata(one.architecture, one.shape, one.classes)
    about[checkpoint.DEFENCE] = json.dumps(one.defence)
    if number % 6 == 5:
        save_file({"model.weight": torch.zeros(1)}, file, {"about": content})
    else:
        weights = {checkpoint.WEIGHTS + name: value for name, value in one.weights.items()}
        sealed.seal(file, weights, about | {FIELDS[number % 6]: content})
    guard = model(str(file), shape=(1, 16, 16), classes=7)
    assert guard(torch.zeros(2, 1, 16, 16)).shape == (2, 7)
    checkpoint.network(checkpoint.load(file))


def read_entry(file, content, number):
    assert entry("datasets", content)["method"] in ("digits",)


READERS = {
    "image": (read_an_image, wrong_files.images),
    "class names": (read_class_names, wrong_files.texts),
    "data": (read_data, wrong_files.texts),
    "checkpoint": (read_checkpoint, wrong_files.texts),
    "entry": (read_entry, wrong_files.texts),
}


def check(name, seed, many=MANY):
    """How many were read and refused; any other end is an error of the test."""
    read, draw = READERS[name]
    counts = Counter()
    with TemporaryDirectory() as folder, _few_pixels(), warnings.catch_warnings(action="ignore"):
        file = Path(folder, "wrong.safetensors")
        for number, content in enumerate(islice(draw(seed), many)):
            try:
                read(file, content, number)
            except UserError as error:
                assert len(str(error).splitlines()) == 1, (content, str(error))
                assert name == "entry" or str(error).startswith(folder), (content, str(error))
                counts["refused"] += 1
            except Exception as error:
                raise AssertionError(f"{name}, seed {seed}, {number}: {content!r:.300}") from error
            else:
                counts["read"] += 1
    return counts


@contextmanager
def _few_pixels():
    """A header that promises many pixels takes the time of few."""
    with patch.object(Image, "MAX_IMAGE_PIXELS", 250_000):
        yield


@pytest.mark.parametrize("name", READERS)
def test_a_wrong_file_is_read_or_refused_in_one_line(name):
    counts = check(name, seed=0)
    assert counts["refused"] > MANY // 4
    assert name == "entry" or counts["read"]


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_so_are_many_more(name):
    assert sum(check(name, seed=1, many=20 * MANY).values()) == 20 * MANY


def test_every_common_format_is_among_the_damaged_images():
    kinds = {kind for kind, _ in islice(wrong_files.images(0), 2000)}
    assert {"PNG", "JPEG", "PPM", "BMP", "TIFF", "WEBP", "GIF", "SGI", "DDS", "TGA"} <= kinds


def test_postscript_is_not_run(tmp_path):
    file = tmp_path / "1.png"
    Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(file, "EPS")
    with pytest.raises(UserError, match=r"1\.png is no readable image \(cannot identify"):
        read_image(file, None)
