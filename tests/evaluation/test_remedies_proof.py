"""A slice of the table of remedies_table.py: remedies reach what the defect is held to."""

import pytest

from robustinfo.evaluation.by_protocol import evaluate_by_protocol
from robustinfo.evaluation.sizes import SIZES
from robustinfo.evaluation.threats import Ball
from tests.evaluation.networks import honest
from tests.evaluation.remedied import row

pytestmark = [pytest.mark.proof, pytest.mark.slow]

IMAGES = 32  # of which one is more than is allowed


@pytest.mark.parametrize("name", ["detached", "greys"])
def test_remedies_leave_no_more_than_what_the_defect_is_held_to(name):
    found = row(name, IMAGES)
    assert found.after <= found.before
    assert found.excess <= max(found.allowed, 1 / IMAGES)


@pytest.mark.parametrize("defence", ["standard", "adversarial"])
def test_an_honest_network_calls_for_no_remedy(defence):
    case = honest("digits", defence, 0)
    found = evaluate_by_protocol(
        SIZES[0], case.model, case.x, case.y, classes=10, remedies=True,
        ball=Ball(norm="linf", epsilon=case.epsilon), progress=lambda step: None,
    )  # fmt: skip
    assert found.after_remedies is None
