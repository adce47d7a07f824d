"""The page: one file that holds everything it links to, and says everything without colour."""

import base64
import re

import pandas as pd
import pytest

from pipeline.results import information_vs_robustness, rows
from pipeline.results.untrained import UNTRAINED
from pipeline.stages import gallery, leaderboard, overview, report, verdict
from robustinfo.core.files import atomic_write
from robustinfo.evaluation.checks import BY_NAME, CLASSES
from robustinfo.evaluation.verdict import Answer
from tests.jobs import default, made, settle

SETTING = {"dataset": "digits", "model": "lenet5"}
RUN = SETTING | {"defence": "pat_entm"}
PNG = b"\x89PNG picture"
BROKEN = {
    "norm": "linf", "epsilon": 8 / 255, "rank": 1, "verdict": "broken",
    "clean_accuracy": 0.9, "robust_accuracy": 0.05,
    "low": 0.04, "high": 0.1, "scope": "method", "n": 90, "seeds": 2,
    "strongest_attack": "pgd", "strongest_attack_accuracy": 0.06,
    "clean_low": 0.8, "clean_high": 0.95,
    "protocol": "linf up to 8/255: pgd", "failed": 3, "passed": 17, "cannot_say": 4, "not_run": 2,
}  # fmt: skip
UNION = {"union_accuracy": 0.02, "union_low": 0.01, "union_high": 0.07}
ANSWERS = [
    Answer(BY_NAME["robust_accuracy"], "failed", 0.1, 0.04, 0.02, 0.08, 90, "linf"),
    Answer(BY_NAME["ensemble_only_fraction"], "noted", 0.15, 0.2, 0.16, 0.3, 90, "linf"),
    Answer(
        BY_NAME["never_rises_fraction"],
        "cannot say",
        0.05,
        0.03,
        0.01,
        0.09,
        90,
        "loss_trajectory",
        217,
    ),
    Answer(BY_NAME["flat_fraction"], "passed", 0.05, 0.0123, 0.0, 0.04, 90, "zero_gradients"),
    Answer(BY_NAME["black_box_only_fraction"], "not run"),
]


def read(page):
    """The words of a page."""
    bare = re.sub(r"<(style|script|svg).*?</\1>", " ", page, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).replace("\u202f", " ").split())


def luminance(colour):
    """Relative luminance of #rrggbb, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_every_class_has_a_colour_of_its_own_and_readable_letters():
    assert set(report.BADGES) == {*CLASSES, "note", UNTRAINED}
    assert len({ground for ground, _ in report.BADGES.values()}) == len(CLASSES) + 2
    for ground, ink in report.BADGES.values():
        dark, light = sorted(map(luminance, (ground, ink)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG's AA


def results(job, drawn, verdicts):
    """Everything that the page, and what is drawn for it, read, with or without a verdict."""
    union = [name for line in verdicts for name in line if name in UNION]
    board = pd.DataFrame([RUN | line for line in verdicts], columns=[*RUN, *BROKEN, *union])
    rows.write_table(job.file("leaderboard"), board)
    for role in ("leaderboard_json", "leaderboard_tex"):
        with atomic_write(job.file(role)) as partial:
            partial.write_text(f"% {role}")
    about = RUN | {"norm": "linf", "epsilon": 8 / 255}
    checks = [about | verdict._check_columns(one) for one in ANSWERS] if verdicts else []
    rows.write_table(job.file("checks"), pd.DataFrame(checks, columns=verdict.CHECKED))
    value = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9}
    ball = {"norm": "linf", "epsilon": 8 / 255}
    left = [RUN | {"attack": "pgd", "counts": True} | ball | value] if verdicts else []
    left = pd.DataFrame(left, columns=leaderboard.ATTACKED)
    rows.write_table(drawn.file("accuracy_by_attack"), left)
    swept = [
        RUN
        | {"curve": "epsilon_curve", "epsilon": level, "seeds": 1, "by_seed": "0.5"}
        | {"norm": "linf"}
        | value
        for level in (0.0, 1.0)
    ]
    rows.write_table(
        drawn.file("accuracy_by_epsilon"),
        pd.DataFrame(swept if verdicts else [], columns=leaderboard.SWEPT),
    )
    point = {"measure": "kde", "quantity": "network_entropy", "layer": "network", "seed": 0}
    point |= {"value": 1.0, "saturated": "False", "believable": "True", "robust_accuracy": 0.5}
    points = pd.DataFrame(
        [RUN | point] if verdicts else [], columns=information_vs_robustness.POINT
    )
    rows.write_table(drawn.file("information"), points)
    rows.write_table(job.file("correlations"), information_vs_robustness.correlations(points))
    line = {"defence": "pat_entm", "attack": "pgd", "index": 0, "label": "3", "before": "3"}
    shown = [line | {"after": "8", "success": True}] if verdicts else []
    rows.write_table(job.file("gallery", **SETTING), pd.DataFrame(shown, columns=gallery.COLUMNS))
    with atomic_write(job.file("gallery_picture", **SETTING)) as partial:
        partial.write_bytes(PNG if verdicts else b"")
    claims = ["claim", "text", "source", "value", "low", "high", "judgement", "saturated"]
    rows.write_table(job.file("claims"), pd.DataFrame([], columns=[*SETTING, *claims, "sentence"]))


@pytest.fixture
def page(tmp_path, monkeypatch, request):
    study = default(settings=[SETTING], tables={}, figures={})
    settle(tmp_path, monkeypatch)
    job, drawn = made(study, "report"), made(study, "overview")
    results(job, drawn, request.param)
    overview.run(drawn)
    report.run(job)
    return job.writes["report"].read_text()


@pytest.mark.parametrize("page", [[BROKEN]], indirect=True)
def test_every_link_within_the_page_arrives(page):
    ids = set(re.findall(r' id="([^"]+)"', page))
    links = re.findall(r'<a[^>]* href="#([^"]+)"', page.replace("\n", " "))
    assert "checks-digits-lenet5-linf-pat_entm" in links and set(links) <= ids


@pytest.mark.parametrize("page", [[BROKEN]], indirect=True)
def test_the_page_holds_its_files_and_asks_for_none(page):
    assert not re.search(r'(?:src=|<link[^>]*href=)"(?:https?:)?//', page)
    sources = re.findall(r'src="([^"]{,40})', page)
    assert sources and all(source.startswith("data:") for source in sources)
    held = {
        name: base64.b64decode(content)
        for content, name in re.findall(r'href="data:[^,]+,([^"]*)" download="([^"]+)"', page)
    }
    assert list(held) == ["leaderboard.csv", "leaderboard.json", "leaderboard.tex"]
    assert b"pat_entm,linf,0.03137254901960784,1,broken" in held["leaderboard.csv"]
    assert base64.b64encode(PNG).decode() in page


@pytest.mark.parametrize("page", [[BROKEN]], indirect=True)
def test_verdicts_and_checks_are_words_and_a_note_is_one_too(page):
    words = re.sub(r"<[^>]+>", " ", page)
    badges = [" ".join(text.split()) for text in re.findall(r'class="badge[^>]*>([^<]+)<', page)]
    assert {"broken", "note"} <= {*badges}
    assert "linf up to 8/255: pgd" in words and "fewer than 4 runs" in words


@pytest.mark.parametrize("page", [[BROKEN]], indirect=True)
def test_the_first_screen_answers_in_words(page):
    first = read(page.partition('id="defences"')[0])
    assert "It is broken: no more images are left than by guessing." in first
    assert "classified correctly under every attack: 4.0 % (it has to be above 10 %)" in first
    assert "Every pixel may change by at most 8/255; pixel values are in [0, 1]." in first
    assert "black box" in first  # no attack of this study is known to climb a gradient


@pytest.mark.parametrize("page", [[BROKEN]], indirect=True)
def test_every_defence_is_described_with_its_paper_and_the_twin_is_named(page):
    told = page.partition('id="defences"')[2].partition("</section>")[0]
    assert (
        'href="https://arxiv.org/abs/1706.06083"' in told
        and "https://arxiv.org/abs/2008.03072" in told
    )
    assert "standard the undefended twin Standard training on clean images" in read(told)
    assert "12 epochs from the weights of standard" in read(told)
    assert "attack (norm linf, epsilon 0.15, step size 0.05, steps 5)" in read(told)


@pytest.mark.parametrize("page", [[BROKEN]], indirect=True)
def test_failed_checks_come_first_in_words_and_all_four_answers_are_counted(page):
    words = read(page)
    assert "3 failed , 17 passed, 4 cannot say, 2 not run" in words
    checks = read(page.partition('id="checks"')[2].partition("</section>")[0])
    places = [checks.index(text) for text in (
        "Failed Images classified correctly under every attack: 4.0 % 2.0 % to 8.0 %, 90 images",
        "Images where the log-odds of an error never rise on the way: 3.0 %",
        "Notes: they decide nothing",
        "Passed Images where logits change and their gradient is 0 0.0 % to 4.0 %",
        "Not run, and not needed here: images that a black box breaks",
    )]  # fmt: skip
    assert places == sorted(places)
    assert "217 images like these would settle it" in checks and "] of this network" not in words


@pytest.mark.parametrize("page", [[BROKEN]], indirect=True)
def test_no_number_has_an_exponent_and_what_is_not_recorded_is_said(page):
    assert not re.search(r"\d(?:\.\d+)?e[+-]\d", read(page))
    made = read(page.partition('id="made"')[2])
    assert "computed not recorded here" in made and "cost not recorded here" in made
    assert "outside of a git repository" in made and "cores" in made


@pytest.mark.parametrize("page", [[BROKEN | {"scope": "network", "seeds": 1}]], indirect=True)
def test_the_interval_of_one_seed_says_that_it_is_of_this_network(page):
    assert "] of this network" in re.sub(r"<[^>]+>", " ", page)


@pytest.mark.parametrize(
    "page", [[BROKEN, BROKEN | {"norm": "l2", "protocol": "l2 up to 0.5: l2_pgd"}]], indirect=True
)
def test_every_norm_has_a_table_of_its_own(page):
    words = re.sub(r"<[^>]+>", " ", page)
    assert "linf up to 8/255: pgd" in words and "l2 up to 0.5: l2 pgd" in words
    assert page.count('class="setting"') == 2


@pytest.mark.parametrize("page", [[]], indirect=True)
def test_a_study_without_a_threat_model_says_so_and_shows_nothing(page):
    assert "nothing to judge" in page and page.count("<b>None:</b>") == 5
    assert "<svg" not in page and "<img" not in page


@pytest.mark.parametrize("page", [[BROKEN], [BROKEN | UNION]], indirect=True)
def test_what_is_robust_in_all_norms_stands_beside_it_where_there_are_several(page, request):
    words = " ".join(re.sub(r"<[^>]+>", " ", page).replace("\u202f", " ").split())
    several = "union_accuracy" in request.node.callspec.params["page"][0]
    assert ("5.0 % [4.0 %, 10.0 %] in all norms 2.0 % [1.0 %, 7.0 %]" in words) == several
    assert ("is what is robust in every one" in words) == several
