"""The judge sees every planted defect by the check made for it, and accuses no honest network."""

import pytest

from robustinfo.evaluation.checks import ADAPTIVE, HOLDS, NOT_ENOUGH, NOTE
from robustinfo.evaluation.protocol import BY_NAME, SIZES
from tests.evaluation.defects import DEFECTS, judged
from tests.evaluation.networks import honest, mnist_is_there

pytestmark = [pytest.mark.proof, pytest.mark.slow]

# Where it is not `invalid`: a gradient that goes astray is worse than what was planted.
VERDICTS = dict.fromkeys(("quantised", "detached", "jpeg"), "masked") | {
    "noise": ADAPTIVE, "winners": "not converged", "log_softmax": NOT_ENOUGH,
}  # fmt: skip
# What an honest network may be called: it is not robust, or it is, or more has to be tried.
FAIR = ("broken", "no benefit", NOT_ENOUGH, NOTE)
HONEST = [(data, how, seed) for data in ("digits", "mnist") for how in ("standard", "adversarial")
          for seed in ((0, 1, 2) if data == "digits" else (0, 1))]  # fmt: skip


def answered(found, name):
    return next(one for one in found.checks if one.check.name == name)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_flagged_by_the_check_that_is_made_for_it(name):
    found = judged(honest("digits", "adversarial", 0), DEFECTS[name])
    assert answered(found, DEFECTS[name].check).result in ("failed", "noted")
    assert found.verdict == VERDICTS.get(name, "invalid")


@pytest.mark.parametrize("dataset, defence, seed", HONEST)
def test_an_honest_network_raises_none(dataset, defence, seed):
    if dataset == "mnist" and not mnist_is_there():
        pytest.skip("MNIST is not prepared")
    found = judged(honest(dataset, defence, seed))
    accused = [
        one.check.name
        for one in found.checks
        if one.result == "failed" and one.check.verdict not in FAIR
    ]
    assert not accused
    # The smallest protocol may say that a network is broken, and never that one holds.
    assert found.verdict in ("broken", NOT_ENOUGH)
    assert defence == "standard" or found.verdict == NOT_ENOUGH


def test_an_honest_network_holds_in_the_third_protocol_on_which_nothing_happens():
    size = BY_NAME["medium"]
    found = judged(honest("digits", "adversarial", 0, size.images), size=size)
    open_ones = {one.check.name for one in found.checks if one.result == "cannot say"}
    assert (found.verdict, open_ones) == (HOLDS, set())


@pytest.mark.parametrize("name, verdict", [("noise", ADAPTIVE), ("batch_norm", "invalid")])
def test_a_network_that_contradicts_itself_is_judged_by_the_attacks_that_can_be_made(name, verdict):
    found = judged(honest("digits", "adversarial", 0), DEFECTS[name], size=SIZES[1])
    assert set(found.not_made) <= {"hop_skip_jump"}
    assert found.verdict == verdict and "pgd" in found.attacks
