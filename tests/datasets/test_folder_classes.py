"""The order of a folder's classes: by name, by number, by a file; copies are no classes."""

import json
from pathlib import Path

import pytest
import torch

from robustinfo.core.errors import UserError
from robustinfo.evaluation.images import images


@pytest.fixture
def levels_of(paint):
    """A folder whose class number i has an image of level i; the classes' names in that order."""

    def made(names):
        for level, name in enumerate(names):
            paint(f"data/{name}/1.png", level)

    return made


@pytest.mark.parametrize("form", ["{}", "{:03}", "class_{}", "{}th class", "-{}"])
def test_numbered_folders_are_in_the_order_of_their_numbers(levels_of, form):
    names = [form.format(number) for number in range(12)]
    levels_of(names)
    found = images("data")
    assert found.classes == names and found.summary.order == "by number"
    assert found.labels.equal(found.images[:][:, 0, 0, 0].long())


def test_where_their_order_as_text_is_another_that_is_said(levels_of):
    levels_of(["1", "2", "10"])
    assert images("data").summary.notes == [
        "ImageFolder sorts these folders as text (1, 10, 2); if the network was trained in that "
        "order, name the classes in it with --classes"
    ]


def test_where_both_orders_agree_nothing_is_said(levels_of):
    levels_of(["08", "09", "10"])
    assert images("data").summary.notes == []


@pytest.mark.parametrize(
    "names", [["1", "10", "2", "other"], ["a1", "b10", "b2"], ["1.10", "1.5"], ["v10", "x2"]]
)
def test_a_mixture_stays_sorted_by_name(levels_of, names):
    levels_of(names)
    found = images("data").summary
    assert [*found.classes] == names and found.order == "by name" and found.notes == []


def test_one_number_in_two_spellings_is_refused(levels_of):
    levels_of(["1", "2", "02"])
    with pytest.raises(UserError, match="data has 02 and 2, which are one number; merge or rename"):
        images("data")


@pytest.mark.parametrize(
    "copy",
    [
        "cat - Copy", "cat - Copy (2)", "cat copy", "cat (1)", "cat_copy", "cat.bak", "cat~",
        "Copy of cat", "cat - Kopie", "Kopie von cat", "cat_backup", "cat ",
    ],
)  # fmt: skip
def test_a_copy_beside_its_original_is_refused_unless_a_file_names_both(levels_of, copy):
    levels_of(["cat", copy])
    with pytest.raises(UserError, match="which look like one class and its copy; remove or merge"):
        images("data")
    if copy.strip() == copy:  # a file's names have no blanks around them
        Path("names.txt").write_text(f"cat\n{copy}\n")
        assert images("data", class_file=Path("names.txt")).classes == ["cat", copy]


def test_names_that_look_the_same_are_refused(levels_of):
    levels_of(["caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"])
    with pytest.raises(UserError, match="which look like one class and its copy"):
        images("data")


@pytest.mark.parametrize("names", [["copy", "paste"], ["S (1)", "S (2)"], ["A", "a"]])
def test_classes_that_only_resemble_copies_stay(levels_of, names):
    levels_of(names)
    assert images("data").classes == names


ORDERS = {
    "classes.txt": "dog\nfox\ncat\n",
    "marked.txt": "\ufeffdog\r\nfox\r\ncat\r\n",
    "list.json": json.dumps(["dog", "fox", "cat"]),
    "places.json": json.dumps({"cat": 2, "dog": 0, "fox": 1}),
}


@pytest.mark.parametrize("name", ORDERS)
def test_names_give_the_order_of_the_networks_classes(pets, name):
    Path(name).write_text(ORDERS[name], newline="")
    found = images("pets", class_file=Path(name))
    assert found.classes == ["dog", "fox", "cat"]
    assert found.labels.equal(torch.where(found.images[:][:, 0, 0, 0] >= 100, 0, 2))
    assert found.summary.classes == {"dog": 6, "fox": 0, "cat": 6}
    assert found.summary.order == f"as {name} has it"


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("classes.txt", "dog\n", r"has 1 folders that .*classes\.txt does not name: cat; add"),
        ("classes.txt", "dog\ncat\ndog\n", "names a class twice"),
        ("a.json", '{"cat": 0, "dog": 281}', "other places than 0 to 1, each once; name all"),
        ("a.json", '{"cat": 0, "dog": 0}', "other places than 0 to 1"),
        ("a.json", "[0, 1]", "is no list of names"),
        ("a.json", "{", "does not name classes"),
        ("a.json", "[" * 100_000, "does not name classes"),
        ("classes.txt", b"caf\xe9", "does not name classes.*utf-8"),
        ("classes.txt", "cat\ndog\nfox\n", "no images of fox, a class of classes.txt; add its"),
        (None, None, "nowhere.*does not name classes.*No such file"),
    ],
)
def test_names_that_do_not_fit_are_refused(pets, name, content, words):
    (pets / "fox").mkdir()  # without images
    file = Path(name or "nowhere.txt")
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=words):
        images("pets", class_file=file)
