"""Which of two attacks goes farther, on distances that are written down."""

import math

import pytest
import torch

from robustinfo.diagnostics import closer


def stored(success, distances):
    return {"success": torch.tensor(success).bool(), "distance_l2": torch.tensor(distances)}


def told(examples, other):
    config = closer.Config(examples="carlini_wagner", other="deepfool")
    rows = closer.diagnose(
        None, None, None, config=config, generator=None, examples=examples, other=other
    )
    return {row.quantity: row for row in rows}


def test_images_that_the_other_turns_count_and_as_far_is_no_farther():
    found = told(
        stored([1, 1, 1, 1, 0], [1.0, 2.0, 9.0, 0.1, 0.1]),
        stored([1, 1, 1, 0, 1], [1.0, 3.0, 4.0, 8.0, 8.0]),
    )
    assert found["no_farther_share"].value == pytest.approx(2 / 4)
    assert {row.n for row in found.values()} == {4}
    assert found["median_distance"].value == 2.0  # of 1, 2, 9 and infinity, the lower of the middle
    assert found["median_distance_of_other"].value == 3.0


def test_an_attack_that_turns_few_has_not_converged_however_close_it_comes():
    found = told(stored([1, 0, 0, 0], [0.1] * 4), stored([1, 1, 1, 1], [1.0] * 4))
    assert found["no_farther_share"].value == 0.25
    assert found["median_distance"].value == math.inf


def test_where_the_other_turns_no_image_there_is_no_share_and_no_median():
    found = told(stored([1, 0], [1.0, 1.0]), stored([0, 0], [1.0, 1.0]))
    assert list(found) == ["no_farther_share"] and math.isnan(found["no_farther_share"].value)
