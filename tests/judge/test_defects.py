"""The judge sees every planted defect by the check made for it, and accuses no honest network."""

import pytest

from robustinfo.judging import CLASSES, HOLDS, NOTE
from tests.judge.defects import DEFECTS, judged
from tests.judge.networks import honest, mnist_is_there

# What an honest network may be called: it is not robust, or it is.
FAIR = ("broken", "no benefit", HOLDS)
HONEST = [(data, how, seed) for data in ("digits", "mnist") for how in ("standard", "adversarial")
          for seed in ((0, 1, 2) if data == "digits" else (0, 1))]  # fmt: skip


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_flagged_by_the_check_that_is_made_for_it(name):
    found = judged(honest("digits", "adversarial", 0), DEFECTS[name])
    check = next(check for check in found.checks if check.name == DEFECTS[name].check)
    assert check.failed
    if check.verdict != NOTE:
        assert CLASSES.index(found.verdict) <= CLASSES.index(check.verdict)


@pytest.mark.parametrize("dataset, defence, seed", HONEST)
def test_an_honest_network_raises_none(dataset, defence, seed):
    if dataset == "mnist" and not mnist_is_there():
        pytest.skip("MNIST is not prepared")
    found = judged(honest(dataset, defence, seed))
    accused = [check.name for check in found.checks if check.failed and check.verdict not in FAIR]
    assert not accused
    assert found.verdict in FAIR
    assert (found.verdict == HOLDS) == (defence == "adversarial")
