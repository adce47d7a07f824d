"""Images for a judgement: prepared data sets by name, folders class by class, and their faults."""

import json

import pytest
import torch
from PIL import Image

from robustinfo.datasets import digits
from robustinfo.datasets._prepared import open_split, prepare
from robustinfo.faults import Fault
from robustinfo.pictures import images


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
    assert images("{method: digits, size: 9, test_share: 0.5}").images.shape == (899, 1, 9, 9)
    folders = sorted(path.name for path in root.iterdir() if path.is_dir())
    assert folders == ["digits", "digits-size-8", "digits-size-9-test_share-0.5"]


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


def paint(file, level, size=(4, 4), mode="L"):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level, level, level)).convert(mode).save(file)


@pytest.fixture
def folder(tmp_path):
    """Two classes, cat with levels 0 to 5, dog with 100 to 105."""
    for label, name in enumerate(["cat", "dog"]):
        for number in range(6):
            paint(tmp_path / "pets" / name / f"{number}.png", 100 * label + number)
    return tmp_path / "pets"


def test_a_folder_is_read_byte_for_byte_with_its_labels(folder):
    found = images(str(folder))
    assert found.images.shape == (12, 1, 4, 4) and found.classes == ["cat", "dog"]
    levels = found.images[:, 0, 0, 0]
    assert found.images.equal(levels[:, None, None, None].expand(-1, 1, 4, 4))
    assert sorted(levels.tolist()) == [*range(6), *range(100, 106)]
    assert found.labels.equal((levels >= 100).long())


def test_a_limit_takes_the_first_of_a_fixed_draw_in_which_the_classes_are_mixed(folder):
    every = images(str(folder))
    few = images(str(folder), limit=6)
    assert few.images.equal(every.images[:6]) and few.labels.equal(every.labels[:6])
    assert 0 < few.labels.sum() < 6


def test_the_draw_does_not_depend_on_where_the_folder_lies(folder, tmp_path):
    before = images(str(folder)).images
    folder.rename(tmp_path / "elsewhere")
    assert images("elsewhere").images.equal(before)


def test_a_folder_of_splits_gives_the_one_that_is_asked_for(folder, tmp_path):
    for split, name in (("train", "cat"), ("test", "dog")):
        (tmp_path / "all" / split).mkdir(parents=True)
        (folder / name).rename(tmp_path / "all" / split / name)
    assert images("all").classes == ["dog"] and images("all", split="train").classes == ["cat"]
    with pytest.raises(Fault, match=r"all has test, train, and no 'val'; choose"):
        images("all", split="val")


def test_a_class_may_be_called_test_among_others(folder):
    (folder / "cat").rename(folder / "test")
    assert images(str(folder)).classes == ["dog", "test"]


def test_the_shorter_side_becomes_the_size_and_the_middle_is_kept(tmp_path):
    wide = Image.new("L", (40, 10))
    wide.paste(255, (15, 0, 25, 10))  # the middle ten columns
    for name in ("a", "b"):
        (tmp_path / "wide" / name).mkdir(parents=True)
        wide.save(tmp_path / "wide" / name / "1.png")
    assert images("wide").images.shape == (2, 1, 10, 40)
    assert images("wide", size=10).images.equal(torch.full((2, 1, 10, 10), 255, dtype=torch.uint8))
    assert images("wide", size=5).images[:, :, :, 2].min() == 255


def test_one_image_of_colour_gives_all_three_channels(folder):
    paint(folder / "cat" / "9.png", 9, mode="RGB")
    found = images(str(folder))
    assert found.images.shape == (13, 3, 4, 4)
    assert found.images[:, 0].equal(found.images[:, 2])


@pytest.mark.parametrize("mode, channels", [("1", 1), ("P", 3), ("RGBA", 3), ("LA", 3)])
def test_other_pixels_of_8_bits_become_grey_or_colour(tmp_path, mode, channels):
    paint(tmp_path / "one" / "x" / "1.png", 255, mode=mode)
    found = images("one").images
    assert found.shape == (1, channels, 4, 4) and found.min() == 255


ORDERS = {
    "classes.txt": "dog\nfox\ncat\n",
    "list.json": json.dumps(["dog", "fox", "cat"]),
    "places.json": json.dumps({"cat": 2, "dog": 0, "fox": 1}),
}


@pytest.mark.parametrize("name", ORDERS)
def test_names_give_the_order_of_the_networks_classes(folder, tmp_path, name):
    file = tmp_path / name
    file.write_text(ORDERS[name])
    found = images(str(folder), names=file)
    assert found.classes == ["dog", "fox", "cat"]
    assert found.labels.equal(torch.where(found.images[:, 0, 0, 0] >= 100, 0, 2))


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("classes.txt", "dog\n", r"has 1 folders that .*classes\.txt does not name: cat; add"),
        ("classes.txt", "dog\ncat\ndog\n", "names a class twice"),
        ("a.json", '{"cat": 0, "dog": 281}', "other places than 0 to 1, each once; name all"),
        ("a.json", '{"cat": 0, "dog": 0}', "other places than 0 to 1"),
        ("a.json", "[0, 1]", "is no list of names"),
        ("a.json", "{", "does not name classes"),
        (None, None, "nowhere.*does not name classes.*No such file"),
    ],
)
def test_names_that_do_not_fit_are_refused(folder, tmp_path, name, content, words):
    file = tmp_path / (name or "nowhere.txt")
    if content is not None:
        file.write_text(content)
    with pytest.raises(Fault, match=words):
        images(str(folder), names=file)


def test_images_of_several_sizes_ask_for_one(folder):
    paint(folder / "cat" / "9.png", 9, size=(5, 4))
    with pytest.raises(Fault, match=r"png has 4 x . pixels, .*png 4 x .; give .*--size 224"):
        images(str(folder))
    assert images(str(folder), size=4).images.shape == (13, 1, 4, 4)


def test_a_damaged_image_is_named(folder):
    (folder / "dog" / "3.png").write_bytes(b"\x89PNG no more")
    with pytest.raises(Fault, match=r"dog/3\.png is no readable image .*remove or replace it"):
        images(str(folder))


def test_images_of_16_bits_are_refused_instead_of_clipped(tmp_path):
    (tmp_path / "deep" / "x").mkdir(parents=True)
    Image.new("I;16", (4, 4), 40_000).save(tmp_path / "deep" / "x" / "1.png")
    with pytest.raises(Fault, match=r"1\.png has I;16 pixels, not 8 bits; convert it"):
        images("deep")


def test_folders_without_images_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(Fault, match="empty has no folders, and no 'test'"):
        images("empty")
    (tmp_path / "half" / "cat").mkdir(parents=True)
    with pytest.raises(Fault, match=r"half has no images class by class: .*cat"):
        images("half")


@pytest.mark.parametrize(
    "given, words",
    [
        ({"text": "pats"}, "no folder and no data set of that name: 'pats': .*datasets/ has"),
        ({"text": "tiny_texts"}, "tiny_texts is a set of texts, and networks here read images"),
        ({"text": "digits", "split": "val"}, "digits has no split 'val'; choose from train, test"),
        ({"text": "digits", "limit": 0}, "0 images judge nothing"),
        ({"text": "digits", "size": 0}, "images of 0 pixels are none"),
        ({"text": "digits", "names": "a.txt"}, "a.txt names the classes of a folder, and digits"),
    ],
)
def test_what_cannot_be_is_refused(given, words):
    with pytest.raises(Fault, match=words):
        images(**given)


def test_a_data_folder_that_may_not_be_written_to_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ROBUSTINFO_DATA", str(tmp_path / "file"))
    with pytest.raises(Fault, match=r"cannot .*file.*set ROBUSTINFO_DATA"):
        images("digits")
