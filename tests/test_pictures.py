"""Images for a judgement: a data set by name, prepared if need be, or a folder (datasets/)."""

import numpy as np
import pytest
import torch
from PIL import Image

from robustinfo.core.errors import UserError
from robustinfo.datasets import digits
from robustinfo.datasets._prepared import open_split, prepare
from robustinfo.evaluation.images import images


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTINFO_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


@pytest.mark.parametrize("text", ["digits", "{method: digits, size: 28}", {"method": "digits"}])
def test_digits_need_no_pipeline_and_are_what_it_would_prepare(root, text):
    found = images(text)
    raw = digits.load("test", config=digits.Config(), root=root)
    assert found.images.equal(torch.from_numpy(raw.images)) and found.images.dtype == torch.uint8
    assert found.labels.equal(torch.from_numpy(raw.labels)) and found.classes == raw.classes
    prepare("digits", {"method": "digits", "size": 28}, root)  # the study's entry: no conflict


def test_other_numbers_are_kept_apart_under_names_of_their_own(root):
    assert images("{method: digits, size: 8}").images.shape == (450, 1, 8, 8)
    assert images("digits").images.shape == (450, 1, 28, 28)
    folders = sorted(path.name for path in root.iterdir() if path.is_dir())
    assert folders == ["digits", "digits-size-8"]


def test_what_the_pipeline_has_prepared_is_read_and_not_made_again(root, monkeypatch):
    prepare("digits", {"method": "digits"}, root)
    monkeypatch.delattr(digits, "load")
    train = images("digits", split="train", limit=5)
    expected = open_split("digits", "train", {"method": "digits"}, root)
    assert train.images.equal(expected.images[:5]) and train.labels.equal(expected.labels[:5])


def test_a_data_set_may_be_enlarged():
    small, large = images("digits", limit=3), images("digits", limit=3, size=56)
    assert large.images.shape == (3, 1, 56, 56) and large.images.dtype == torch.uint8
    back = torch.nn.functional.avg_pool2d(large.images.float(), 2)
    assert (back - small.images).abs().mean() < 8


def test_of_a_data_set_too_it_is_said_what_was_found():
    found = images("{method: digits, size: 8}", split="train", limit=3).summary
    raw = digits.load("train", config=digits.Config(size=8), root=None)
    counts = dict(zip(raw.classes, np.bincount(raw.labels).tolist(), strict=True))
    assert found == ("digits-size-8", "train", counts, "of the data set", 3, [], [])
    first, second = found.lines()
    assert first == "digits-size-8, split train: 3 of 1,347 images read"
    assert second.startswith(f"10 classes of the data set: 0 ({counts['0']}), 1 (")


def test_a_folder_is_meant_where_there_is_one_of_a_data_sets_name(tmp_path):
    (tmp_path / "digits" / "x").mkdir(parents=True)
    Image.new("L", (4, 4), 7).save(tmp_path / "digits" / "x" / "1.png")
    found = images("digits")
    assert found.images.shape == (1, 1, 4, 4) and found.summary.classes == {"x": 1}


@pytest.mark.parametrize(
    "given, words",
    [
        ({"text": "pats"}, "no folder and no data set of that name: 'pats': .*datasets/ has"),
        ({"text": "tiny_texts"}, "tiny_texts is a set of texts, and networks here read images"),
        ({"text": "digits", "split": "val"}, "digits has no split 'val'; choose from train, test"),
        ({"text": "digits", "limit": 0}, "0 images judge nothing"),
        ({"text": "digits", "size": 0}, "images of 0 pixels are none"),
        ({"text": "digits", "size": 20_000}, "an image of the data set would have more than 178"),
        ({"text": "p" * 5_000}, "no folder and no data set of that name"),
        (
            {"text": "digits", "class_file": "a.txt"},
            "a.txt names the classes of a folder, and digits",
        ),
    ],
)
def test_what_cannot_be_is_refused(given, words):
    with pytest.raises(UserError, match=words):
        images(**given)


def test_a_data_folder_that_may_not_be_written_to_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ROBUSTINFO_DATA", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"cannot .*file.*set ROBUSTINFO_DATA"):
        images("digits")
