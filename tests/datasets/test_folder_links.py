"""Links, pipes, names that are not UTF-8: what lies in a folder of images and is no plain file."""

import os
import socket
from pathlib import Path

import pytest

from robustinfo.core.errors import UserError
from robustinfo.evaluation.images import images

FOLLOWED = "links to a folder that is read already, or is above"


@pytest.mark.parametrize("target", ["..", ".", "../..", "/"])
def test_a_link_that_leads_up_is_never_followed(pets, target):
    os.mkdir(b"\xff")  # above: whatever lies there is not looked at
    (pets / "cat" / "up").symlink_to(target)
    (pets / "dog" / "up").symlink_to(target)
    found = images("pets").summary
    assert found.classes == {"cat": 6, "dog": 6}
    assert found.left_out == [("cat/up, dog/up", 2, FOLLOWED)]


def test_a_link_to_the_folder_itself_is_no_class(pets):
    (pets / "all").symlink_to(".")
    found = images("pets").summary
    assert found.classes == {"cat": 6, "dog": 6} and found.left_out == [("all", 1, FOLLOWED)]


def test_two_folders_outside_that_link_to_each_other_come_to_an_end(pets, paint):
    for one, other in (("x", "y"), ("y", "x")):
        paint(f"out/{one}/1.png")
        Path(f"out/{one}/other").symlink_to(f"../{other}")
    (pets / "fox").symlink_to("../out/x")
    with pytest.raises(UserError, match=r"pets/fox has images in folders of its own \(fox/other\)"):
        images("pets")


def test_a_class_may_be_a_link_to_a_folder_elsewhere(pets):
    (pets / "dog").rename("dogs")
    (pets / "dog").symlink_to("../dogs")
    assert images("pets").summary.classes == {"cat": 6, "dog": 6}


@pytest.mark.parametrize("name", ["a-kitten", "kitten"])
def test_one_folder_by_two_names_is_refused(pets, name):
    (pets / name).symlink_to("cat")
    with pytest.raises(UserError, match=f"pets/{name} is a link to pets/cat, .*remove one"):
        images("pets")


def test_two_links_to_one_folder_are_refused(pets):
    (pets / "cat").rename("cats")
    for name in ("cat", "kitten"):
        (pets / name).symlink_to("../cats")
    with pytest.raises(UserError, match="pets/kitten is a link to pets/cat"):
        images("pets")


def test_a_class_of_the_test_split_that_links_to_a_training_class_is_refused(paint):
    for file in ("train/cat", "train/dog", "test/dog"):
        paint(f"data/{file}/1.png")
    Path("data/test/cat").symlink_to("../train/cat")
    with pytest.raises(UserError, match="data/test/cat is a link to data/train/cat"):
        images("data")


def test_a_link_to_an_image_is_read_and_one_that_leads_nowhere_is_named(pets, paint):
    paint("elsewhere.png", 77)
    (pets / "cat" / "9.png").symlink_to("../../elsewhere.png")
    assert 77 in images("pets").images[:][:, 0, 0, 0]
    (pets / "dog" / "9.png").symlink_to("nowhere.png")
    with pytest.raises(UserError, match=r"pets/dog/9\.png is no readable image .*No such file"):
        images("pets")


def test_pipes_and_sockets_called_like_images_are_never_opened(pets):
    os.mkfifo(pets / "cat" / "pipe.png")
    (pets / "cat" / "device.png").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("pets/dog/socket.png")
        found = images("pets").summary
    assert found.n == 12 and [(what, many) for what, many, _ in found.left_out] == [
        ("cat/device.png, cat/pipe.png, dog/socket.png", 3)
    ]


@pytest.mark.parametrize("name", [b"\xff", b"cat/\xff.png", b"two\nlines", b"cat/tab\t.png"])
def test_names_that_cannot_be_printed_are_refused_in_one_line(pets, name):
    path = os.path.join(b"pets", name)
    os.mkdir(path) if b"." not in name else os.close(os.open(path, os.O_CREAT))
    with pytest.raises(UserError, match="a name that is not UTF-8 or has control") as caught:
        images("pets")
    assert str(caught.value).isprintable()


def test_the_folders_own_name_must_be_printable_too(pets):
    os.rename(b"pets", b"pets\xff")
    with pytest.raises(UserError, match=r"^'pets\\udcff': the name is not UTF-8"):
        images(os.fsdecode(b"pets\xff"))


def test_a_hidden_name_that_cannot_be_printed_is_left_out_with_escapes(pets):
    os.mkdir(b"pets/.\xff")
    assert images("pets").summary.left_out == [(r"'.\udcff'", 1, "hidden, or of the system")]


def test_a_folder_that_cannot_be_listed_is_named(pets, monkeypatch):
    listing = os.scandir

    def refused(path):
        if Path(path).name == "dog":
            raise PermissionError(13, "Permission denied")
        return listing(path)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(
        UserError, match=r"pets/dog cannot be listed \(Permission denied\); make it"
    ):
        images("pets")
