"""The page on the verdict says what the code says."""

from pathlib import Path

import pytest

from robustinfo.evaluation.checks import CHECKS, CLASSES, EXITS
from robustinfo.evaluation.reference import page
from robustinfo.evaluation.sizes import SIZES


@pytest.mark.docs
def test_the_page_in_the_repository_is_the_one_that_the_code_makes():
    file = Path("docs/verdict.md")
    assert file.read_text("utf-8") == page(), (
        "make it again: python -m robustinfo.evaluation.reference > docs/verdict.md"
    )


def test_it_names_every_check_class_and_protocol():
    text = page()
    assert all(f"`{check.name}`" in text and check.meaning in text for check in CHECKS)
    assert all(f"| {EXITS[name]} | {name} |" in text for name in CLASSES)
    assert all(f"| {size.name} | {size.images} |" in text for size in SIZES)


def test_exit_codes_keep_their_meaning():
    assert EXITS == {
        "invalid": 10, "masked": 11, "randomised / needs adaptive": 12, "not converged": 13,
        "broken": 14, "no benefit": 15, "not enough was tried": 16,
        "holds against what was tried": 0,
    }  # fmt: skip
