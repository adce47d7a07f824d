"""The page of an evaluation: one file, everything in words, and nothing that a name could break."""

import re
from html.parser import HTMLParser

import pytest

from robustinfo.evaluation import report
from robustinfo.evaluation.checks import UNTRUSTED
from robustinfo.evaluation.display.numbers import SPACE
from robustinfo.evaluation.report import figures
from robustinfo.evaluation.report.printable import printable
from tests.evaluation.report import documents

EMPTY = {"meta", "img", "br", "path", "use", "image", "rect", "polyline", "line", "circle"}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of a kind of evaluation. gallery: a function that makes one."""
    pages = {}

    def written(kind, gallery=None):
        if (kind, gallery) not in pages:
            folder = tmp_path_factory.mktemp("page")
            report.write(folder, documents.KINDS[kind](), gallery() if gallery else None)
            pages[kind, gallery] = (folder / "report.html").read_text(encoding="utf-8")
        return pages[kind, gallery]

    return written


class Reader(HTMLParser):
    """Elements, their text, and whether they are closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text, self.attributes = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        if tag not in EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title"):
            self.text.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def words(page):
    return " ".join(" ".join(read(page).text).replace(SPACE, " ").split())


@pytest.mark.parametrize("kind", documents.KINDS)
def test_it_is_one_whole_file_that_asks_for_no_other(page, kind):
    reader = read(page(kind))
    assert not {"script", "link", "iframe", "object", "base", "form"} & {*reader.tags}
    for name, value in reader.attributes:
        if name in ("src", "href", "xlink:href"):
            assert value.startswith(("#", "data:image/png;base64,")), value
        assert not name.startswith("on")
    assert not re.search(r"@import|url\((?!#)", page(kind))
    ids = [value for name, value in reader.attributes if name == "id"]
    assert len(ids) == len({*ids})
    links = {value[1:] for name, value in reader.attributes if name == "href"}
    assert links <= {*ids}


def test_hostile_names_are_text(page):
    text = words(page("hostile", documents.hostile_gallery))
    for name in documents.HOSTILE:
        kept = printable(name).replace("_", " ")
        assert " ".join(kept.split()) in text.replace("_", " ")
    assert "49" not in text.split() and "{{ 7 * 7 }}" in text


@pytest.mark.parametrize("kind", documents.KINDS)
def test_the_first_words_are_the_verdict_its_accuracies_and_the_threat_model(page, kind):
    made, text = documents.KINDS[kind](), words(page(kind))
    first = text[: text.index("Checks of this evaluation")]
    accuracy = f"{100 * made['robust_accuracy']:.1f} %"
    name = "black-box accuracy" if made["black_box"] else "robust accuracy"
    bound = "at most " * (made["verdict"] in UNTRUSTED)
    assert f"{name} {bound}{accuracy}" in first
    assert f"clean accuracy {100 * made['clean_accuracy']:.1f} %" in first
    assert made["verdict"] in first and "What it means:" in first and "What to do next:" in first
    sizes = {"linf": "Every pixel may change by at most 0.1", "l2": "length of at most 0.5"}
    assert sizes[made["threat"]["norm"]] in first


def test_what_remedies_leave_stands_beside_the_first_diagnosis(page):
    text = words(page("remedied"))
    first = text[: text.index("Checks of this evaluation")]
    assert "after remedies 12.5 %" in first and "under bpda" in first and "masked" in first
    assert "after remedies" not in words(page("masked"))


def test_a_black_box_is_nowhere_robust(page):
    text = words(page("black box"))
    assert "robust accuracy" not in text.lower().replace("robust accuracy beyond", "").replace(
        "robust accuracy gained", ""
    )


def places(text, *parts):
    found = [text.index(part) for part in parts]
    assert found == sorted(found)


def test_checks_come_by_their_answer_and_the_passed_ones_are_folded(page):
    made = documents.document()
    text = words(page("as it is"))
    places(text, "Failed ", "Cannot say:", "Notes:", "Passed ", "Not run, and not needed")
    folded = page("as it is").partition("<details")[2].partition("</details>")[0]
    for one in made["checks"]:
        assert (f'id="check-{one["check"]}"' in folded) == (one["result"] == "passed")
        assert one["check"] in text
    assert "381 images like these would settle it" in text


def test_a_check_that_was_not_run_and_is_needed_is_no_footnote(page):
    made, text = documents.KINDS["black box"](), words(page("black box"))
    shown = text.partition("Not run, and needed")[2].partition(" Passed ")[0]
    missing = [one for one in made["checks"] if one["required"] and one["result"] == "not run"]
    assert missing and all(f"{one['meaning']} " in shown for one in missing)
    assert shown.count("not asked") == len(missing)


def test_numbers_of_a_failed_check_are_beside_its_meaning(page):
    text = words(page("masked"))
    assert (
        "Planted adversarial examples that gradient attacks miss: 31.0 % 21.0 % to 43.0 %, "
        "64 images; it has to be at most 5 % Gradient attacks miss adversarial examples"
    ) in text


def test_attacks_and_classes_come_worst_first_and_only_some_classes_are_shown(page):
    made = documents.document()
    names = sorted(made["attacks"], key=lambda name: made["attacks"][name]["leaves"])
    assert len(names) > 4
    table = words(page("as it is")).partition("attack leaves ")[2]
    places(table, *(f"{name.replace('_', ' ')} " for name in names))
    many = page("1,000 classes")
    shown = many[many.index('id="classes"') :]
    assert "The other 980 classes" in shown and shown.count("sea snake") == 1000
    assert shown.partition("<details")[0].count("sea snake") == 20


def test_without_a_curve_or_gallery_there_is_no_place_for_them(page):
    with_both, without = page("as it is", documents.gallery), page("no curve")
    assert with_both.count("<svg") == 3 and without.count("<svg") == 2
    assert with_both.count("<img") == 3 * 4 and "<img" not in without
    assert 'id="gallery"' in with_both and "gallery" not in without.partition("</style>")[2]


def test_least_distances_have_a_section_where_they_were_looked_for(page):
    text = words(page("distances"))
    assert "each of 64 images" in text and "quartiles 0.015, 0.031, 0.047" in text
    assert "For 1 of them nothing was found at any distance" in text
    lines = ("FMN misclassified: 98.0 % 0.03 0.999", "FAB misclassified: 30.0 % none not defined")
    places(text, *lines)
    assert "least distances found" in text and 'id="distances"' not in page("as it is")


def test_it_says_how_to_repeat_it(page):
    made, text = documents.document(), words(page("as it is"))
    for value in (
        documents.COMMAND,
        made["model"]["sha256"],
        made["data"]["sha256"],
        made["device"],
        f"torch {made['versions']['torch']}",
        made["date"],
    ):
        assert value in text  # fmt: skip


def test_no_number_has_an_exponent_and_no_figure_its_ink(page):
    for kind in documents.KINDS:
        assert not re.search(r"\d[eE][+-]\d", words(page(kind)))
    svgs = re.findall(r"<svg.*?</svg>", page("as it is"), re.DOTALL)
    assert len(svgs) == 3
    assert all("currentColor" in svg and figures.INK not in svg for svg in svgs)


def test_what_stands_beside_robust_accuracy_has_its_section_and_a_figure(page):
    made, text = documents.document(), words(page("as it is"))
    known, corrupted = made["calibration"], made["corruptions"]
    error = known["expected_calibration_error"]
    assert "expected calibration error how far confidence" in text
    for value in (error["value"], error["low"], corrupted["value"], corrupted["high"]):
        assert f"{100 * value:.1f} %" in text
    for one in corrupted["by_corruption"]:
        assert one["corruption"].replace("_", " ") in text
    assert "Accuracy by severity of common corruptions" in text
    none = words(page("nothing beside"))
    assert "Beside" not in none and "severity" not in none


def test_an_error_relative_to_the_twin_and_a_number_that_is_infinite_are_said(tmp_path):
    made = documents.document()
    made["corruptions"]["relative_error"] = 0.843
    made["calibration"]["negative_log_likelihood"] = {"value": None, "low": None, "high": None}
    report.write(tmp_path, made, None)
    text = words((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "of the errors that the twin makes; below 1 it makes fewer 0.843" in text
    assert "of the labels infinite, or no number" in text


def test_what_is_proved_stands_between_nothing_and_what_attacks_leave(page):
    assert "certified 25.0 % ≤ robust accuracy ≤ 53.0 % (attacks)" in words(page("certified"))
    assert "there is no bound for round at front" in words(page("unbounded"))
    assert "Certified 25.0 %, and attacks leave 0.0 %: one of them is wrong" in words(
        page("contradicted")
    )
    assert "proved" not in words(page("black box"))
