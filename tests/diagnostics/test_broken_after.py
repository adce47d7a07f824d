"""Which images count is told by two attacks whose outcomes are made up."""

import math

import pytest
import torch

from robustinfo.diagnostics import broken_after

CORRECT = [1, 1, 1, 1, 1, 1, 0, 0]
PGD = [1, 1, 0, 0, 0, 0, 0, 0]  # leaves images 2 to 5
SEARCH = [1, 0, 1, 0, 0, 0, 0, 0]  # breaks one of these; the other had fallen to PGD


def stored(success, correct=CORRECT):
    return {"correct": torch.tensor(correct).bool(), "success": torch.tensor(success).bool()}


def rate(examples, after, **settings):
    config = broken_after.Config(examples="random_search", after="pgd40", **settings)
    (found,) = broken_after.diagnose(
        None, None, None, config=config, generator=None, examples=examples, after=after
    )
    assert (found.quantity, found.interval) == ("broken_after_rate", "fraction")
    return found.value, found.n


def test_only_images_that_the_first_attack_left_standing_count():
    assert rate(stored(SEARCH), stored(PGD)) == (1 / 4, 4)


def test_an_image_that_is_misclassified_when_clean_was_never_defended():
    wrong = stored([0] * 8, correct=[0] * 8)
    value, n = rate(stored(SEARCH), wrong)
    assert math.isnan(value) and n == 0


@pytest.mark.parametrize(("images", "expected"), [(3, (1.0, 1)), (5, (1 / 3, 3)), (8, (1 / 4, 4))])
def test_only_the_first_images_are_searched(images, expected):
    assert rate(stored(SEARCH), stored(PGD), images=images) == pytest.approx(expected)


def test_where_the_first_attack_leaves_nothing_the_share_is_unknown_and_its_n_says_so():
    value, n = rate(stored(SEARCH), stored(CORRECT))
    assert math.isnan(value) and n == 0


def test_an_attack_breaks_nothing_that_it_left_itself():
    assert rate(stored(PGD), stored(PGD)) == (0.0, 4)


def test_an_image_that_fell_on_the_way_and_stands_at_the_last_step_was_defended():
    after = stored(PGD) | {"last_step": torch.tensor([1, 0, 0, 0, 0, 0, 0, 0]).bool()}
    assert rate(stored(SEARCH), after) == (1 / 5, 5)
    after = stored([1, 1, 1, 0, 0, 0, 0, 0]) | {"last_step": after["last_step"]}
    assert rate(stored(SEARCH), after) == (1 / 5, 5), "a step on the way had broken image 2"
