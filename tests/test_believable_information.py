"""The rule by which estimates of information are believed, and the widths of layers."""

import math

import pytest

from pipeline.results.believable_information import Estimate, layer_width, may_be_believed

BINS = {"method": "binned_information", "width": 0.5}
GOOD = Estimate(value=5.0, ceiling=8.0, n=300, saturated=False)


@pytest.mark.parametrize("quantity", ["network_entropy", "nhsic_input", "hsic_input"])
def test_what_is_no_estimate_of_information_needs_no_rule(quantity):
    assert may_be_believed({"method": "nhsic"}, quantity, math.nan, GOOD._replace(n=5))


@pytest.mark.parametrize(
    ("dimension", "change", "believed"),
    [
        (5, {}, True), (6, {}, False), (math.nan, {}, False), (1, {"n": 299}, False),
        (1, {"value": 6.0}, True), (1, {"value": 6.1}, False), (1, {"saturated": True}, False),
    ],
)  # fmt: skip
def test_bins_are_believed_in_few_dimensions_and_well_below_their_ceiling(
    dimension, change, believed
):
    estimate = GOOD._replace(**change)
    assert may_be_believed(BINS, "information_input_bits", dimension, estimate) is believed


@pytest.mark.parametrize("method", ["kde", "ksg", "info_nce", "renyi"])
def test_no_other_estimate_of_what_a_layer_tells_of_its_input_is_believed(method):
    measure = {"method": f"{method}_information"}
    many = GOOD._replace(n=10_000)
    for bound in ("", "_lower", "_upper"):
        assert not may_be_believed(measure, f"information_input_bits{bound}", 1, many)
        assert may_be_believed(measure, f"information_label_bits{bound}", 1, many)


def test_layers_have_the_widths_of_their_networks():
    assert layer_width({"method": "lenet5"}, "fc2") == 84
    assert layer_width({"method": "text_classifier"}, "pool1") == 128
    assert math.isnan(layer_width({"method": "lenet5"}, None))
