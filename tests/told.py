"""Measurements by their quantity, for every test that asks for a few of them."""

from collections.abc import Iterable

from robustinfo.core.measurement import Measurement


def told(found: Iterable[Measurement]) -> dict[str, Measurement]:
    """{quantity: Measurement}. A quantity that is told twice is an error."""
    by_quantity: dict[str, Measurement] = {}
    for one in found:
        assert one.quantity not in by_quantity, f"{one.quantity} is told twice"
        by_quantity[one.quantity] = one
    return by_quantity
