from itertools import product

import pytest
import torch

from robustinfo.toys.boolean_equality import Config, accuracy, compute


def test_only_a_suppressed_input_leaves_the_network_right_everywhere():
    right = [weights for weights in product((-1, 0, 1), repeat=2) if accuracy(*weights) == 1]
    assert right == [(0, 0)]


@pytest.mark.parametrize(
    "w1, w2, wrong",
    [
        (-1, 0, [(1, 1, 1)]),  # "both are 1" is missed
        (1, 0, [(0, 1, 1), (1, 0, 1)]),  # one of them is enough for "both are 1"
        (0, -1, [(0, 0, 1)]),  # "both are 0" is missed
        (0, 1, [(0, 1, 1), (1, 0, 1)]),
    ],
)
def test_the_inputs_that_one_weight_spoils_are_those_worked_out_by_hand(w1, w2, wrong):
    assert accuracy(w1, w2) == 1 - len(wrong) / 8


def test_rows_are_the_nine_pairs_and_the_two_that_the_claim_compares():
    rows = list(compute(config=Config(), generator=torch.Generator()))
    pairs = [row for row in rows if row.quantity == "accuracy"]
    assert len(pairs) == 9 and len({(row.input, row.level) for row in pairs}) == 9
    assert {row.quantity: row.value for row in rows if row not in pairs} == {
        "accuracy_suppressed": 1.0,
        "accuracy_otherwise": max(row.value for row in pairs if row.value < 1),
    }
