"""Measurements by their quantity, for every test that reads a few of them."""

from collections.abc import Iterable

from robustinfo.core.measurement import Measurement


def by_quantity(measurements: Iterable[Measurement]) -> dict[str, Measurement]:
    """{quantity: Measurement}. A quantity that occurs twice is an error."""
    found: dict[str, Measurement] = {}
    for one in measurements:
        assert one.quantity not in found, f"{one.quantity} occurs twice"
        found[one.quantity] = one
    return found
