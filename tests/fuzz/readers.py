"""Who reads what was drawn, as the tool does, and how a refusal has to look."""

import json
import re
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import torch
from PIL import Image
from safetensors.torch import save, save_file

from pipeline.run.plan import Plan
from pipeline.study import check
from robustinfo.core import checkpoint, sealed
from robustinfo.core.entries import entry
from robustinfo.core.errors import one_line
from robustinfo.datasets import _classes, _storage
from robustinfo.datasets._image import read_image
from robustinfo.evaluation.images import images
from robustinfo.evaluation.sources import model
from tests.checkpoints import untrained
from tests.fuzz import files, trees

MOST_LETTERS = 4000  # of a refusal
PLANNED = 400  # jobs of a study whose files are listed
FIELDS = (
    checkpoint.ARCHITECTURE,
    checkpoint.SHAPE,
    checkpoint.CLASSES,
    checkpoint.DEFENCE,
    "torch",  # of which nothing depends
)
SHAPE, CLASSES = (1, 16, 16), 7


def read_study(folder: Path, case: tuple[str, bytes], number: int) -> None:
    """Check a study and plan its jobs. folder: it holds what a study may inherit from."""
    file = folder / "mutated.yaml"
    file.write_bytes(case[1])
    plan = Plan(check.load(file))
    for job in [*plan.jobs.values()][:PLANNED]:
        plan.reads(job), plan.writes(job), plan.params(job)
    assert plan.jobs, "a study without a job"


def read_an_image(folder: Path, case: tuple[str, bytes], number: int) -> None:
    file = folder / "wrong.png"
    file.write_bytes(case[1])
    pixels, _ = read_image(file, 8)
    assert pixels.shape[1:] == (8, 8) and pixels.dtype == torch.uint8


def read_a_tree(folder: Path, case: tuple[int, bool], number: int) -> None:
    top = folder / "photos"
    shutil.rmtree(top, ignore_errors=True)
    trees.plant(top, *case)
    found = images(str(top), size=8)
    assert len(found.images) == len(found.labels) == found.summary.n
    assert all(map(str.isprintable, found.classes))


def read_class_names(folder: Path, case: str, number: int) -> None:
    file = folder / ("wrong.json" if number % 2 else "wrong.txt")
    file.write_bytes(case.encode(errors="surrogatepass"))
    names = _classes.read_names(file)
    assert len({*names}) == len(names) and all(names) and all(one_line(one) for one in names)


def read_data(folder: Path, case: str, number: int) -> None:
    pixels, labels = torch.zeros(2, 1, 8, 8, dtype=torch.uint8), torch.tensor([0, 1])
    metadata = {"classes": '["a", "b"]', "source": "drawn", "settings": "{}"}
    metadata["sha256"] = _storage.digest(pixels.numpy(), labels.numpy())
    key = [*metadata, "vocabulary"][number % 5]
    metadata[key] = case.encode(errors="replace").decode()
    save_file({"images": pixels, "labels": labels}, folder / "wrong.safetensors", metadata)
    _, _, found = _storage.read(folder / "wrong.safetensors")
    names = json.loads(found["classes"])
    assert len(names) >= 2 and all(isinstance(one, str) for one in names)
    assert isinstance(json.loads(found["settings"]), dict)


def read_checkpoint(folder: Path, case: str, number: int) -> None:
    """A network whose seal is right and whose description is not; or of no right seal."""
    content, file = case.encode(errors="replace").decode(), folder / "wrong.safetensors"
    one = untrained({"method": "lenet5"}, SHAPE, CLASSES)
    about = checkpoint.network_metadata(one.architecture, one.shape, one.classes)
    about[checkpoint.DEFENCE] = json.dumps(one.defence)
    if number % 6 == 5:
        save_file({"model.weight": torch.zeros(1)}, file, {"about": content})
    else:
        weights = {checkpoint.WEIGHTS + name: value for name, value in one.weights.items()}
        sealed.seal(file, weights, about | {FIELDS[number % 6]: content})
    guard = model(str(file), shape=SHAPE, classes=CLASSES)
    assert guard(torch.zeros(2, *SHAPE)).shape == (2, CLASSES)
    checkpoint.network(checkpoint.load(file))


def read_flipped(folder: Path, case: bytes, number: int) -> None:
    """A damaged file: of a checkpoint, of which only the weights as written are read; or bare."""
    file = folder / "flipped.safetensors"
    file.write_bytes(case)
    if number % 2:  # weights alone, which no seal protects
        model(str(file), shape=SHAPE, classes=CLASSES, build="tests.fuzz.readers:network")
    else:
        weights = untrained({"method": "lenet5"}, SHAPE, CLASSES).weights
        found = checkpoint.load(file).weights
        assert weights.keys() == found.keys()
        assert all(torch.equal(weights[name], one) for name, one in found.items())


def network() -> torch.nn.Module:
    """What ``--build`` names."""
    return checkpoint.network(untrained({"method": "lenet5"}, SHAPE, CLASSES))


def draw_flipped(seed: int) -> Iterator[bytes]:
    """Damaged files, of a checkpoint and of bare weights in turn."""
    one = untrained({"method": "lenet5"}, SHAPE, CLASSES)
    weights = {name: tensor.contiguous() for name, tensor in one.weights.items()}
    with TemporaryDirectory() as folder:
        file = Path(folder, "sound.safetensors")
        checkpoint.save(file, one)
        sealed_ones, bare = (
            files.flips(seed, file.read_bytes()),
            files.flips(seed, save(weights)),
        )
    while True:
        yield next(sealed_ones)
        yield next(bare)


def read_entry(folder: Path, case: str, number: int) -> None:
    assert entry("datasets", case)["method"] in ("digits",)


READERS: dict[str, tuple[Callable[[Path, Any, int], None], Callable[[int], Iterator]]] = {
    "image": (read_an_image, files.images),
    "folder of images": (read_a_tree, trees.trees),
    "class names": (read_class_names, files.texts),
    "data": (read_data, files.texts),
    "checkpoint": (read_checkpoint, files.texts),
    "damaged checkpoint": (read_flipped, draw_flipped),
    "entry": (read_entry, files.texts),
}


def reader(read: Callable, folder: Path) -> Callable[[Any, int], None]:
    """The reader in a folder; a header that promises many pixels takes the time of few."""

    def read_one(case: Any, number: int) -> None:
        with patch.object(Image, "MAX_IMAGE_PIXELS", 250_000), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(folder, case, number)

    return read_one


def is_good(name: str, folder: Path, message: str) -> bool:
    """Whether a refusal is one printable line that names the file, and of a study its line."""
    if not message.isprintable() or not 0 < len(message) <= MOST_LETTERS:
        return False
    if name == "study":
        return bool(re.match(rf"{re.escape(str(folder))}/[^:]*:\d+: ", message))
    return name == "entry" or str(folder) in message
