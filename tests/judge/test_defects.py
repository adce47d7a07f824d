"""The judge sees every planted defect by the check made for it, and accuses no honest network."""

import pytest

from robustinfo.judge.checks import ADAPTIVE
from robustinfo.judge.protocol import SIZES
from tests.judge.defects import DEFECTS, judged
from tests.judge.networks import honest, mnist_is_there

# Where it is not `invalid`: a gradient that goes astray is worse than what was planted.
VERDICTS = dict.fromkeys(("quantised", "detached", "winners", "jpeg"), "masked") | {
    "noise": ADAPTIVE, "log_softmax": HOLDS,
}  # fmt: skip
# What an honest network may be called: it is not robust, or it is.
FAIR = ("broken", "no benefit", HOLDS)
HONEST = [(data, how, seed) for data in ("digits", "mnist") for how in ("standard", "adversarial")
          for seed in ((0, 1, 2) if data == "digits" else (0, 1))]  # fmt: skip


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_flagged_by_the_check_that_is_made_for_it(name):
    found = judged(honest("digits", "adversarial", 0), DEFECTS[name])
    check = next(check for check in found.checks if check.name == DEFECTS[name].check)
    assert check.failed
    assert found.verdict == VERDICTS.get(name, "invalid")


@pytest.mark.parametrize("dataset, defence, seed", HONEST)
def test_an_honest_network_raises_none(dataset, defence, seed):
    if dataset == "mnist" and not mnist_is_there():
        pytest.skip("MNIST is not prepared")
    found = judged(honest(dataset, defence, seed))
    accused = [check.name for check in found.checks if check.failed and check.verdict not in FAIR]
    assert not accused
    assert (found.verdict == HOLDS) == (defence == "adversarial")


def test_a_network_that_contradicts_itself_is_judged_by_the_attacks_that_can_be_made():
    found = judged(honest("digits", "adversarial", 0), DEFECTS["noise"], size=SIZES[1])
    assert set(found.failed) == {"hop_skip_jump"}
    assert found.verdict == ADAPTIVE and "pgd" in found.accuracies
