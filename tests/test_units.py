"""Units of quantities follow from their names; a step size is no fraction."""

import pytest

from pipeline.results.units import PERCENT, of_quantity


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [
        ("attack_success_rate", PERCENT),
        ("validation/accuracy", PERCENT),
        ("flat_fraction", PERCENT),
        ("learning_rate", ""),
        ("information_input_bits_lower", "bits"),
        ("train/cross_entropy", ""),
    ],
)
def test_the_unit_of_a_quantity_follows_from_its_name(quantity, unit):
    assert of_quantity(quantity) == unit
