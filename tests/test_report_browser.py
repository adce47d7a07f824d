"""The page of a study in a browser: it fits a phone, whose first screen answers; tables sort."""

import pytest

from pipeline.results import rows
from pipeline.stages import overview, report
from tests.jobs import default, made, settle
from tests.screens import BROWSER, SCREEN, measured
from tests.test_report import BROKEN, RUN, SETTING, results

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not BROWSER, reason="needs chromium"),
]
WIDTHS = (400, 1300)
NAMES = [f"defence_{number:02}" for number in range(12)]
MEASURE = """(page) => {
  const bottom = (name) => page.querySelector(name).getBoundingClientRect().bottom;
  const found = {verdict: bottom(".board .badge"), accuracy: bottom(".board .accuracy b")};
  page.querySelectorAll("details").forEach((folded) => { folded.open = true; });
  found.scroll = page.documentElement.scrollWidth;
  const board = page.querySelector(".board"), body = board.tBodies[0];
  const order = () => [...body.rows].slice(1).map((row) => row.cells[2].dataset.value);
  const head = board.tHead.rows[0].cells[2];
  head.querySelector("button").click();
  Object.assign(found, {up: order(), sorted: head.getAttribute("aria-sort")});
  head.querySelector("button").click();
  Object.assign(found, {down: order(), setting: body.rows[0].className});
  const field = page.querySelector("input[type=search]");
  field.value = "DEFENCE_07";
  field.dispatchEvent(new Event("input"));
  found.left = [...body.rows].filter((row) => !row.hidden).length;
  return found;
}"""


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page with twelve defences, of which one has a name that cannot be broken at a space."""
    study = default(settings=[SETTING], tables={}, figures={})
    settle(tmp_path, monkeypatch)
    job, drawn = made(study, "report"), made(study, "overview")
    results(job, drawn, [BROKEN])
    board = rows.read(job.file("leaderboard")).loc[[0] * len(NAMES)].assign(defence=NAMES)
    board["robust_accuracy"] = [0.01 * (7 * number % 12) for number in range(12)]
    board["defence"] = [*NAMES[:-1], "a_name_" * 12]
    rows.write_table(job.file("leaderboard"), board)
    checks = rows.read(job.file("checks"))
    assert set(checks.defence) == {RUN["defence"]}
    rows.write_table(job.file("checks"), checks.assign(defence=NAMES[0]))
    overview.run(drawn)
    report.run(job)
    return job.writes["report"].read_text(encoding="utf-8")


def test_it_fits_a_phone_answers_on_its_first_screen_and_its_tables_sort(page, tmp_path):
    found = measured(tmp_path, page, MEASURE, WIDTHS)
    values = sorted(round(0.01 * number, 2) for number in range(12))
    for width, one in found.items():
        assert one["scroll"] == width
        assert 0 < one["verdict"] < SCREEN and 0 < one["accuracy"] < SCREEN
        assert [round(float(value), 2) for value in one["up"]] == values
        assert [round(float(value), 2) for value in one["down"]] == values[::-1]
        assert one["sorted"] == "ascending" and one["setting"] == "setting" and one["left"] == 2


def test_what_is_too_wide_would_be_seen(page, tmp_path):
    wide = '<main><span style="white-space: nowrap">' + "word " * 50 + "</span>"
    found = measured(tmp_path, page.replace("<main>", wide), MEASURE, (400,))
    assert found[400]["scroll"] > 400
