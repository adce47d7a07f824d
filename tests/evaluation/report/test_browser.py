"""The page in a browser: nothing is wider than the screen, and the first one says the verdict."""

import pytest

from robustinfo.evaluation import report
from tests import screens
from tests.evaluation.report import documents

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not screens.BROWSER, reason="needs chromium"),
]
WIDTHS = (400, 1300)
HEIGHTS = {400: 500, 1300: 350}  # of the verdict and its accuracies; a screen has 800
MEASURE = """(page) => {
  const all = [...page.body.querySelectorAll("*")];
  const bottom = (name) => page.querySelector(name).getBoundingClientRect().bottom;
  const first = {verdict: bottom("h1"), accuracy: bottom(".verdict"), words: bottom("#verdict")};
  page.querySelectorAll("details").forEach((folded) => { folded.open = true; });
  return {
    ...first, right: Math.max(...all.map((box) => box.getBoundingClientRect().right)),
    scroll: page.documentElement.scrollWidth,
    ground: getComputedStyle(page.body).backgroundColor,
  };
}"""


def measured(folder, page):
    """{width: the measures of the page in a frame of this width}."""
    return screens.measured(folder, page, MEASURE, WIDTHS)


def page_of(folder, kind):
    gallery = documents.hostile_gallery() if kind == "hostile" else documents.gallery()
    report.write(folder, documents.KINDS[kind](), gallery)
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", documents.KINDS)
def test_nothing_is_wider_than_the_screen_and_the_first_one_has_verdict_and_accuracies(
    tmp_path, kind
):
    for width, found in measured(tmp_path, page_of(tmp_path, kind)).items():
        assert found["scroll"] == width and found["right"] <= width
        assert found["verdict"] < found["accuracy"] < HEIGHTS[width]
        assert found["words"] < 1000 if width == 400 else found["words"] < 700


def test_what_is_too_wide_would_be_seen(tmp_path):
    wide = '<main><span style="white-space: nowrap">' + "word " * 50 + "</span>"
    page = page_of(tmp_path, "broken").replace("<main>", wide)
    found = measured(tmp_path, page)[400]
    assert found["scroll"] > 400 and found["right"] > 400


def test_it_is_dark_where_the_reader_wants_it(tmp_path):
    light = page_of(tmp_path, "broken")
    dark = light.replace("(prefers-color-scheme: dark)", "all")
    grounds = [measured(tmp_path, page)[400]["ground"] for page in (light, dark)]
    assert grounds == ["rgb(245, 247, 249)", "rgb(18, 24, 30)"]
