"""Whatever a file or a study holds, it is read, or refused in one line that names it."""

from itertools import islice

import numpy as np
import pytest
from PIL import Image

from robustinfo.core.errors import UserError
from robustinfo.datasets._image import read_image
from tests.fuzz import counts, files
from tests.fuzz.limited import ERROR, KILLED, REFUSED, TAKEN, outcomes
from tests.fuzz.page import PAGE, page
from tests.fuzz.readers import READERS, is_good

MANY = 60  # of each kind in every run


def check(counted, wrong, many):
    """That so many were drawn, and each was taken or refused as it should be."""
    assert not wrong, [one._asdict() for one in wrong[:3]]
    assert sum(one.total() for one in counted.values()) == many


@pytest.mark.parametrize("name", READERS)
def test_a_wrong_file_is_read_or_refused_in_one_line(name):
    counted, wrong = counts.files(name, 0, MANY)
    check(counted, wrong, MANY)
    assert counted[name][REFUSED] > MANY // 4
    assert name == "entry" or counted[name][TAKEN]


@pytest.mark.parametrize("shipped", [False, True])
def test_a_study_that_was_changed_at_random_is_taken_or_refused_in_one_line(shipped):
    counted, wrong = counts.studies(0, MANY // (1 + shipped), shipped)
    check(counted, wrong, MANY // (1 + shipped))
    assert sum(one[REFUSED] for one in counted.values()) > MANY // 4


@pytest.mark.fuzz
@pytest.mark.parametrize("name", READERS)
def test_so_are_many_more_files(name):
    check(*counts.files(name, 1, 20 * MANY), 20 * MANY)


def test_the_page_is_of_the_counted_numbers():
    assert PAGE.read_text(encoding="utf-8") == page()


def badly(case, number):
    """Ends as the case says."""
    match case:
        case "allocates":
            bytearray(2**40)
        case "spins":
            while True:
                pass
        case "exits":
            raise SystemExit(0)
        case "refuses":
            raise UserError("no\nline")


def test_what_ends_badly_is_counted_as_such_and_the_next_case_is_tried(monkeypatch):
    monkeypatch.setattr("tests.fuzz.limited.CPU_SECONDS", 1)
    found = outcomes(["fine", "allocates", "spins", "exits", "refuses", "fine"], badly)
    assert [one.result for one in found] == [TAKEN, ERROR, KILLED, ERROR, REFUSED, TAKEN]
    assert found[1].text.startswith("MemoryError test_wrong_files.py")
    assert found[2].text == "SIGXCPU"


def test_a_refusal_of_a_study_names_file_and_line_and_is_printable(tmp_path):
    good = f"{tmp_path}/s.yaml:3: seeds: is missing"
    assert is_good("study", tmp_path, good) and is_good("data", tmp_path, f"{tmp_path}/x is bad")
    for bad in ("", good.replace(":3", ""), f"{good}\n", f"{good}\x1b", f"{good}\u202e", "x:3: y"):
        assert not is_good("study", tmp_path, bad)


def test_every_common_format_is_among_the_damaged_images():
    kinds = {kind for kind, _ in islice(files.images(0), 2000)}
    assert {"PNG", "JPEG", "PPM", "BMP", "TIFF", "WEBP", "GIF", "SGI", "DDS", "TGA"} <= kinds


def test_postscript_is_not_run(tmp_path):
    file = tmp_path / "1.png"
    Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(file, "EPS")
    with pytest.raises(UserError, match=r"1\.png is no readable image \(cannot identify"):
        read_image(file, None)
