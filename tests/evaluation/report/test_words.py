"""Numbers, verdicts, checks and attacks in words."""

import pytest

from robustinfo.evaluation.checks import BY_NAME, CLASSES, HOLDS, NOT_ENOUGH
from robustinfo.evaluation.display import numbers
from robustinfo.evaluation.display.numbers import SPACE
from robustinfo.evaluation.report import attack_words, quantities, verdicts
from robustinfo.evaluation.report.schema import Attack, read
from robustinfo.evaluation.threats import ROLES
from tests.evaluation.report import documents


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.0"), (1.0, "100.0"), (0.432, "43.2"), (1e-4, "< 0.1"), (0.9999, "> 99.9"),
     (-0.03, "\N{MINUS SIGN}3.0"), (-1e-5, "0.0"), (0.0012, "0.1")],
)  # fmt: skip
def test_a_fraction_is_percent_and_is_not_rounded_to_none_or_all(value, text):
    assert numbers.percent(value) == f"{text}{SPACE}%"


@pytest.mark.parametrize(
    ("value", "text"),
    [(8 / 255, "8/255"), (2 / 255, "2/255"), (0.0313725508749485, "8/255"), (0.2, "0.2"),
     (0.031, "0.031"), (0.5, "0.5"), (12.5, "12.5"), (1e-6, "0.000001"), (0.123456, "0.1235")],
)  # fmt: skip
def test_a_size_in_pixels_is_a_fraction_of_255_or_short(value, text):
    assert numbers.pixels(value) == text


@pytest.mark.parametrize("value", [1110.0, 1e-7, 123456789.0, 3.0, 0.05])
def test_no_number_has_an_exponent(value):
    for text in (numbers.plain(value), numbers.pixels(value), numbers.duration(value)):
        assert "e" not in text
    assert float(numbers.plain(value).replace(",", "")) == pytest.approx(value, rel=5e-3)


def test_a_time_is_in_the_unit_that_people_would_use():
    texts = [numbers.duration(t).replace(SPACE, " ") for t in (0.4, 95, 700, 12600)]
    assert texts == ["0.4 s", "95 s", "12 min", "3.5 h"]


def test_every_class_has_a_sentence_a_meaning_and_a_next_step_of_its_own():
    assert [*verdicts.WORDS] == [*CLASSES]
    texts = [text for words in verdicts.WORDS.values() for text in words]
    assert len({*texts}) == 3 * len(CLASSES) and all(text.endswith(".") for text in texts)


def test_the_words_of_a_black_box_are_never_those_of_a_robust_network():
    about = read(documents.KINDS["black box"]())
    assert about.black_box and verdicts.accuracy_name(about) == "black-box accuracy"
    assert verdicts.words(about).means.startswith(verdicts.BLACK_BOX)
    assert verdicts.accuracy_name(read(documents.document())) == "robust accuracy"


def test_where_more_images_would_do_it_is_said_how_many():
    made = documents.document(verdict=NOT_ENOUGH)
    most = max(one["images_needed"] or 0 for one in made["checks"])
    assert most > 64 and f"up to about {most:,} images" in verdicts.words(read(made)).todo
    assert "images like these" not in verdicts.words(read(made | {"verdict": HOLDS})).todo


def test_every_check_says_what_it_measures():
    assert {*quantities.MEASURED} == {*BY_NAME}
    assert len({*quantities.MEASURED.values()}) == len(BY_NAME)
    groups = (quantities.COUNTS, quantities.GAINS, quantities.UNITLESS)
    assert {name for group in groups for name in group} <= {*BY_NAME}


def check(name, **numbers):
    made = next(one for one in documents.document()["checks"] if one["check"] == name)
    run = {"value": 0.0, "low": 0.0, "high": 0.0, "threshold": 0.05, "result": "failed", "n": 400}
    checks = [made | run | numbers]
    return quantities.in_words(read(documents.document(checks=checks)).checks[0])


@pytest.mark.parametrize(
    ("name", "numbers", "words"),
    [
        ("flat_fraction", {"value": 0.31, "low": 0.2, "high": 0.4},
         ("31.0 %", "20.0 % to 40.0 %", "at most 5 %", "400 images")),
        ("gradient_attacks", {"value": 3.0, "threshold": 1.0, "n": None},
         ("3", "counted: no interval", "at least 1", "")),
        ("gain_over_twin", {"value": -0.02, "low": -0.1, "high": 0.04, "threshold": 0.0},
         ("\N{MINUS SIGN}2.0 points", "\N{MINUS SIGN}10.0 points to +4.0 points",
          "above 0 points", "400 images")),
        ("convergence_gain", {"low": None, "high": None, "threshold": 0.01},
         ("0.0 %", "its interval is not known", "at most 1 %", "400 images")),
    ],
)  # fmt: skip
def test_a_check_has_its_numbers_with_their_unit(name, numbers, words):
    assert tuple(text.replace(SPACE, " ") for text in check(name, **numbers)) == words


def test_a_check_that_was_not_run_has_none():
    empty = {"value": None, "low": None, "high": None, "threshold": None, "result": "not run"}
    assert check("flat_fraction", **empty) == ("", "", "", "")


def test_every_role_has_words_and_its_settings_are_words_too():
    assert {*attack_words.ROLES} == {*ROLES}
    settings = {
        "norm": "linf", "epsilon": 0.1, "steps": 1000, "restarts": 1, "step_size": 2 / 255,
        "objective": "margin", "until": None, "random_start": True, "adversary": {"steps": 5},
        "targets": [1, 2], "tolerance": 1e-6,
    }  # fmt: skip
    values = {"leaves": 0.5, "interval": [0.4, 0.6], "broken": [], "outside": 2, "seconds": 700.0}
    attack = Attack(method="pgd", role="iterated", settings=settings, **values)
    assert attack_words.details("long", attack).replace(SPACE, " ") == (
        "pgd; 1,000 steps, 1 restart, step size 2/255, objective margin, random start yes, "
        "adversary (5 steps), targets 1, 2, tolerance 0.000001; "
        "12 min; 2 images outside the threat model, which do not count"
    )
    bare = attack.model_copy(update={"settings": {}, "seconds": None, "outside": 0})
    assert attack_words.details("pgd", bare) == ""
