from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from robustinfo.core import registry
from robustinfo.datasets._prepared import DataError, prepare

ENTRY = {"method": "tiny_imagenet"}
COLOURS = {"n01443537": (250, 10, 10), "n01629819": (10, 10, 250)}


@pytest.fixture
def root(tmp_path) -> Path:
    """Two classes of 2 x 2 JPEGs: two per class to train, one to validate; one of them grey."""
    folder = tmp_path / "downloads" / "tiny-imagenet-200"
    (folder / "val" / "images").mkdir(parents=True)
    for wnid, colour in COLOURS.items():
        (folder / "train" / wnid / "images").mkdir(parents=True)
        (folder / "train" / wnid / f"{wnid}_boxes.txt").write_text(f"{wnid}_0.JPEG\t0\t0\t1\t1\n")
        for i in range(2):
            image = Image.new("RGB", (2, 2), colour)
            image.save(folder / "train" / wnid / "images" / f"{wnid}_{i}.JPEG", quality=100)
    Image.new("L", (2, 2), 77).save(folder / "val" / "images" / "val_0.JPEG", quality=100)
    Image.new("RGB", (2, 2), (10, 10, 250)).save(
        folder / "val" / "images" / "val_1.JPEG", quality=100
    )
    (folder / "val" / "val_annotations.txt").write_text(
        "val_1.JPEG\tn01629819\t0\t0\t1\t1\nval_0.JPEG\tn01443537\t0\t0\t1\t1\n"
    )
    return tmp_path


def load(split, root):
    return registry.get("datasets", ENTRY)(split, root=root)


def test_training_images_take_their_label_from_the_folder(root):
    raw = load("train", root)
    assert raw.images.shape == (4, 3, 2, 2) and raw.images.dtype == np.uint8
    assert raw.labels.tolist() == [0, 0, 1, 1] and raw.classes == list(COLOURS)
    for image, label in zip(raw.images, raw.labels, strict=True):
        colour = np.array(list(COLOURS.values())[label])[:, None, None]
        assert np.abs(image.astype(int) - colour).max() <= 4  # JPEG


def test_test_images_take_their_label_from_the_annotations_in_their_order(root):
    raw = load("test", root)
    assert raw.labels.tolist() == [1, 0]
    assert np.abs(raw.images[1].astype(int) - 77).max() <= 1  # grey, three equal channels


def test_it_is_prepared_like_any_set(root):
    manifest = prepare("tiny", ENTRY, root)
    assert [part["images"] for part in manifest["splits"].values()] == [4, 2]


def test_a_missing_archive_is_named_with_its_address_and_place(tmp_path):
    said = rf"tiny_imagenet: {tmp_path}/downloads/tiny-imagenet-200 lacks.*cs231n.*ROBUSTINFO_DATA"
    with pytest.raises(DataError, match=said):
        load("train", tmp_path)


def test_a_damaged_image_or_an_unknown_class_is_an_error_of_the_data(root):
    folder = root / "downloads" / "tiny-imagenet-200" / "val"
    (folder / "images" / "val_0.JPEG").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"val_0\.JPEG"):
        load("test", root)
    (folder / "val_annotations.txt").write_text("val_1.JPEG\tn99\t0\t0\t1\t1\n")
    with pytest.raises(DataError, match="n99"):
        load("test", root)
