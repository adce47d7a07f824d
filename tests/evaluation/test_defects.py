"""The judge sees every planted defect by the checks made for it, and accuses no honest network."""

from functools import cache

import pytest

from robustinfo.evaluation.checks import ADAPTIVE, BY_NAME, HOLDS, NOT_ENOUGH, NOTE, UNTRUSTED
from robustinfo.evaluation.sizes import BY_NAME as SIZE_BY_NAME
from robustinfo.evaluation.sizes import SIZES
from tests.evaluation.defects import DEFECTS, PLANTED, judged
from tests.evaluation.networks import honest, is_prepared
from tests.evaluation.proof_parts import verdict as said

pytestmark = [pytest.mark.proof, pytest.mark.slow]

# What an honest network may be called: it is not robust, or it is, or more has to be tried.
FAIR = ("broken", "no benefit", NOT_ENOUGH, NOTE)
HONEST = [(data, how, seed) for data in ("digits", "mnist") for how in ("standard", "adversarial")
          for seed in ((0, 1, 2) if data == "digits" else (0, 1))]  # fmt: skip
SLICE = [*DEFECTS][::14]  # every fourteenth; `make proof` plants all of them
DECIDED = [name for name in SLICE if BY_NAME[DEFECTS[name].check].verdict != NOTE]


@cache
def found_in(name):
    return judged(honest("digits", "adversarial", 0), PLANTED[name])


@pytest.mark.parametrize("name", SLICE)
def test_a_planted_defect_is_flagged_by_the_check_that_is_made_for_it(name):
    found, defect = found_in(name), DEFECTS[name]
    own = next(one for one in found.checks if one.check.name == defect.check)
    assert own.result in ("failed", "noted")
    assert found.verdict == defect.verdict


@pytest.mark.parametrize("name", DECIDED)  # a note decides nothing
def test_without_these_checks_nobody_would_say_so(name):
    rest = said(found_in(name).measurements, but=DEFECTS[name].checks)
    assert rest.verdict != DEFECTS[name].verdict


def test_every_check_that_accuses_has_a_defect():
    accusing = {check.name for check in BY_NAME.values() if check.verdict in UNTRUSTED}
    shown = {check for defect in DEFECTS.values() for check in defect.checks}
    assert accusing <= shown


@pytest.mark.parametrize("dataset, defence, seed", HONEST)
def test_an_honest_network_raises_none(dataset, defence, seed):
    if not is_prepared(dataset):
        pytest.skip(f"{dataset} is not prepared")
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
    size = SIZE_BY_NAME["medium"]
    found = judged(honest("digits", "adversarial", 0, size.images), size=size)
    open_ones = {one.check.name for one in found.checks if one.result == "cannot say"}
    assert (found.verdict, open_ones) == (HOLDS, set())


@pytest.mark.parametrize("name, verdict", [("noise", ADAPTIVE), ("batch_norm", "invalid")])
def test_a_network_that_contradicts_itself_is_judged_by_the_attacks_that_can_be_made(name, verdict):
    found = judged(honest("digits", "adversarial", 0), PLANTED[name], size=SIZES[1])
    assert set(found.not_made) <= {"hop_skip_jump"}
    assert found.verdict == verdict and "pgd" in found.attacks
