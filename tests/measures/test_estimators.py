"""KSG, InfoNCE and matrix-based Renyi as measures: values, ceilings, and what they refuse."""

import math

import pytest
import torch
from torch.nn import functional as F

from robustinfo.core import registry
from robustinfo.core.errors import UserError
from robustinfo.maths.kernels import same_label
from robustinfo.maths.renyi import entropy_bits
from robustinfo.measures import info_nce_information, ksg_information, renyi_information
from robustinfo.toys import gaussian_channel
from tests.by_quantity import by_quantity

KSG = {"method": "ksg_information", "algorithm": 2}
NCE = {"method": "info_nce_information"}
RENYI = {"method": "renyi_information"}
EVERY = pytest.mark.parametrize("entry", [KSG, NCE, RENYI], ids=lambda one: one["method"])
LABEL, INPUT = "information_label_bits", "information_input_bits"


def estimates(entry, t, y, x=None):
    given = {} if x is None else {"x": x}
    return by_quantity(registry.get("measures", entry)(t, y, **given))


def normal(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


@EVERY
def test_a_copy_of_the_label_carries_its_entropy_and_is_not_saturated(entry):
    y = torch.arange(200) // 50
    found = estimates(entry, 5.0 * F.one_hot(y), y)[LABEL]
    low = 1.8 if entry is RENYI else 1.9  # the median distance is that of two classes: K > 0
    assert low < found.value <= found.ceiling + 1e-5 and not found.saturated
    assert found.ceiling == pytest.approx(2, abs=0.03) and found.n == 200


@pytest.mark.parametrize("entry", [KSG, NCE], ids=lambda one: one["method"])
def test_a_layer_of_noise_carries_little_of_its_label_and_of_its_input(entry):
    found = estimates(entry, normal(400, 2), torch.arange(400) % 2, normal(400, 2, 1))
    for name, limit in {LABEL: 0.1, INPUT: 0.25}.items():
        assert abs(found[name].value) < limit and not found[name].saturated


def test_renyi_s_information_of_noise_is_above_0_and_grows_with_the_dimension():
    """Of 0 bits, as its docstring says."""
    y = torch.randperm(400, generator=torch.Generator().manual_seed(0)) % 2
    one, two = (estimates(RENYI, normal(400, d), y, normal(400, d, 1)) for d in (1, 2))
    assert one[INPUT].value == pytest.approx(0.3, abs=0.1)
    assert two[INPUT].value == pytest.approx(1.1, abs=0.2)
    assert 0 < one[LABEL].value < two[LABEL].value < 0.25


@EVERY
def test_without_the_inputs_the_label_s_row_is_the_same_and_the_only_one(entry):
    t, x, y = normal(200, 3), normal(200, 4, 1), torch.arange(200) % 2
    t[:, 0] += 2 * y
    alone, both = estimates(entry, t, y), estimates(entry, t, y, x)
    assert [*alone] == [LABEL] and [*both] == [INPUT, LABEL]
    if entry is not NCE:  # whose halves depend on all that is there
        assert alone[LABEL] == both[LABEL]


@EVERY
def test_order_does_not_matter_and_a_second_call_says_the_same(entry):
    t, x, y = normal(100, 3), normal(100, 4, 1), torch.arange(100) % 2
    found, mixed = estimates(entry, t, y, x), torch.randperm(100)
    assert estimates(entry, t, y, x) == found
    for name, other in estimates(entry, t[mixed], y[mixed], x[mixed]).items():
        assert other.value == pytest.approx(found[name].value, abs=1e-5)


@EVERY
def test_scale_and_place_of_the_layer_change_little(entry):
    t, y = normal(400, 2), torch.arange(400) % 2
    t[:, 0] += 3 * y
    found = estimates(entry, t, y)[LABEL].value
    near = 0.1 if entry is NCE else 1e-4  # its halves are others
    for other in (1e-2 * t + 5, 300 * t):
        assert estimates(entry, other, y)[LABEL].value == pytest.approx(found, abs=near)


@EVERY
@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_layer_with_a_value_that_is_not_finite_has_no_value(entry, broken):
    t, y = normal(100, 3), torch.arange(100) % 2
    t[5, 1] = broken
    for one in estimates(entry, t, y, normal(100, 2)).values():
        assert math.isnan(one.value) and one.ceiling > 0 and one.saturated is False


@pytest.mark.parametrize("entry", [KSG, NCE], ids=lambda one: one["method"])
def test_two_bits_in_noise_are_found_in_one_dimension(entry):
    sample = gaussian_channel.channel(1, 2.0).sample(1000, torch.Generator().manual_seed(0))
    assert estimates(entry, sample.t, sample.y, sample.x)[INPUT].value == pytest.approx(2, abs=0.25)


@pytest.mark.parametrize("entry", [KSG, RENYI], ids=lambda one: one["method"])
def test_an_input_that_is_there_but_for_a_hair_is_at_the_ceiling(entry):
    x = normal(100, 30)
    if entry is RENYI:
        entry = entry | {"width": 0.1}  # no sample is like another
    found = estimates(entry, x + 1e-5 * normal(100, 30, 1), torch.arange(100) % 2, x)[INPUT]
    assert found.saturated and found.value <= found.ceiling * 1.001


def test_info_nce_never_exceeds_log2_of_the_half_that_is_held_out():
    x = normal(60, 2)
    found = estimates(NCE, x, torch.arange(60) % 2, x)[INPUT]
    assert found.ceiling == math.log2(30)
    assert found.value <= found.ceiling + 1e-5


def test_renyi_s_ceilings_are_the_batch_and_the_label_s_entropy_and_few_alike_saturate_it():
    y = torch.arange(100) % 5
    wide = estimates(RENYI | {"batch_size": 50}, normal(100, 3), y, normal(100, 3, 1))
    assert wide[INPUT].ceiling == math.log2(50)
    assert wide[LABEL].ceiling == pytest.approx(entropy_bits(same_label(y)))
    apart = estimates(RENYI | {"width": 1e-3}, normal(100, 3), y)[LABEL]
    assert apart.saturated and apart.value == pytest.approx(apart.ceiling)


def test_ksg_s_algorithms_are_two_and_agree_where_there_is_little_to_tell():
    t, x, y = normal(300, 1), normal(300, 1, 1), torch.arange(300) % 2
    one, two = (estimates(KSG | {"algorithm": a}, t, y, x)[INPUT].value for a in (1, 2))
    assert one != two and one == pytest.approx(two, abs=0.15)


def test_too_few_samples_are_refused():
    t, y = normal(4, 2), torch.arange(4) % 2
    with pytest.raises(UserError, match="too few for 3 neighbours"):
        ksg_information.estimate(t, y, config=ksg_information.Config(), x=t)
    with pytest.raises(UserError, match="4 samples are too few for a critic"):
        info_nce_information.estimate(t, y, config=info_nce_information.Config())
    with pytest.raises(UserError, match="lower `batch_size`"):
        renyi_information.estimate(t, y, config=renyi_information.Config())


@pytest.mark.parametrize(
    ("measure", "settings"),
    [
        (renyi_information, {"alpha": 1.0}), (renyi_information, {"alpha": 0.0}),
        (renyi_information, {"width": 0.0}), (renyi_information, {"batch_size": 3}),
        (ksg_information, {"neighbours": 0}), (ksg_information, {"algorithm": 3}),
    ],
)  # fmt: skip
def test_settings_out_of_their_domain_are_refused(measure, settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        measure.Config(**settings)
