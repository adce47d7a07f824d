"""A folder class by class: its bytes and labels, its draw, and what was found in it."""

import json

import pytest
import torch
from PIL import Image

from robustinfo.core.errors import UserError
from robustinfo.datasets import _image, _image_files
from robustinfo.evaluation.images import images


def test_a_folder_is_read_byte_for_byte_with_its_labels(pets):
    found = images("pets")
    assert found.images.shape == (12, 1, 4, 4) and found.classes == ["cat", "dog"]
    levels = found.images[:][:, 0, 0, 0]
    assert found.images[:].equal(levels[:, None, None, None].expand(-1, 1, 4, 4))
    assert sorted(levels.tolist()) == [*range(6), *range(100, 106)]
    assert found.labels.equal((levels >= 100).long())


def test_a_limit_takes_the_first_of_a_fixed_draw_in_which_the_classes_are_mixed(pets):
    every, few = images("pets"), images("pets", limit=6)
    assert few.images[:].equal(every.images[:6]) and few.labels.equal(every.labels[:6])
    assert 0 < few.labels.sum() < 6


def test_the_draw_is_the_one_that_it_always_was(pets):
    # The first six levels by the sha256 of cat/0.png and so on.
    assert images("pets", limit=6).images[:][:, 0, 0, 0].tolist() == [105, 0, 5, 104, 3, 1]


def test_the_draw_depends_neither_on_where_the_folder_lies_nor_on_what_is_left_out(pets, paint):
    before = images("pets").images[:]
    paint("pets/.cache/0.png")
    (pets / "cat" / "notes.txt").touch()
    pets.rename("elsewhere")
    assert images("elsewhere").images[:].equal(before)


def test_the_shorter_side_becomes_the_size_and_the_middle_is_kept(paint):
    paint("wide/a/1.png")
    wide = Image.new("L", (40, 10))
    wide.paste(255, (15, 0, 25, 10))  # the middle ten columns
    wide.save("wide/a/1.png")
    assert images("wide").images.shape == (1, 1, 10, 40)
    assert (
        images("wide", size=10).images[:].equal(torch.full((1, 1, 10, 10), 255, dtype=torch.uint8))
    )
    assert images("wide", size=5).images[:][:, :, :, 2].min() == 255


def test_one_image_of_colour_gives_all_three_channels(pets, paint):
    paint("pets/cat/9.png", 9, mode="RGB")
    found = images("pets")
    assert found.images.shape == (13, 3, 4, 4)
    assert found.images[:][:, 0].equal(found.images[:][:, 2])


def test_images_of_several_sizes_ask_for_one(pets, paint):
    paint("pets/cat/9.png", 9, size=(5, 4))
    with pytest.raises(UserError, match=r"png has 4 x . pixels, .*png 4 x .; give .*--size 224"):
        images("pets")
    assert images("pets", size=4).images.shape == (13, 1, 4, 4)


def test_what_was_found_stands_in_json_as_it_is(pets):
    found = images("pets", limit=5).summary
    assert json.loads(json.dumps(found._asdict())) == {
        "root": "pets",
        "split": None,
        "classes": {"cat": 6, "dog": 6},
        "order": "by name",
        "n": 5,
        "left_out": [],
        "notes": [],
    }
    assert found.lines() == [
        "pets, no splits: 5 of 12 images read",
        "2 classes by name: 0 cat (6), 1 dog (6)",
    ]


def test_many_classes_are_shortened_for_people_only(paint):
    for number in range(40):
        paint(f"many/{number}/1.png")
    found = images("many").summary
    line = found.lines()[1]
    assert line.startswith("40 classes by number: 0 (1), 1 (1), 2 (1)")
    assert line.endswith("10 (1), 28 more, 39 (1)") and len(found.classes) == 40


def test_what_is_no_image_of_a_class_is_counted_and_named(pets, paint):
    for name in ("a.gif", "b.gif", "list.txt", "none"):
        (pets / "cat" / name).touch()
    (pets / "readme.txt").touch()
    (pets / "fox").mkdir()
    for hidden in (
        ".cache/1.png",
        ".ipynb_checkpoints/1.png",
        "__MACOSX/cat/1.png",
        "@eaDir/1.png",
    ):
        paint(pets / hidden)
    paint(pets / "dog" / "._1.png")
    paint(pets / "loose.png")
    found = images("pets").summary
    assert found.classes == {"cat": 6, "dog": 6} and found.n == 12
    assert {why: (what, many) for what, many, why in found.left_out} == {
        "folders without images, so no classes of these data": ("fox", 1),
        "images in no class's folder": ("loose.png", 1),
        "hidden, or of the system": (
            ".cache, .ipynb_checkpoints, @eaDir, __MACOSX, dog/._1.png",
            5,
        ),
        "files whose endings are not those of images": (
            "2 of .gif, 2 of .txt, 1 of no ending",
            5,
        ),
    }
    assert "left out, images in no class's folder: loose.png (1 in all)" in found.lines()


def test_endings_count_in_any_case(paint):
    paint("one/x/1.PNG")
    paint("one/x/2.Jpg")
    assert images("one").summary.classes == {"x": 2}


@pytest.mark.parametrize(
    "files, words",
    [
        ([], "none has no images class by class; give a folder that has one folder of images"),
        (["cat/a.txt"], "none has no images class by class: its folders are without, cat; give"),
        (["1.png", "2.png"], r"none has images, but not class by class \(1.png, 2.png\)"),
        ([".cache/1.png"], "none has no images class by class"),
    ],
)
def test_folders_without_images_by_class_are_refused(paint, tmp_path, files, words):
    (tmp_path / "none").mkdir()
    for file in files:
        paint(f"none/{file}") if file.endswith("png") else paint("x.png")
        (tmp_path / "none" / file).parent.mkdir(exist_ok=True)
        (tmp_path / "none" / file).touch()
    with pytest.raises(UserError, match=words):
        images("none")


def test_images_that_memory_has_no_room_for_are_opened_again_when_they_are_asked_for(
    pets, monkeypatch
):
    every = images("pets").images[:]
    monkeypatch.setattr(_image_files, "KEPT", 5 * 16)
    files = images("pets").images
    assert len(files) == len(every) == 12 and files[:].equal(every)
    assert files[3:9].equal(every[3:9]) and files[20:].shape == (0, 1, 4, 4)
    opened = []
    monkeypatch.setattr(_image, "read_image", lambda file, size: opened.append(file) or 1 / 0)
    assert files[:5].equal(every[:5])
    with pytest.raises(ZeroDivisionError):
        files[5:6]
    assert len(opened) == 1
