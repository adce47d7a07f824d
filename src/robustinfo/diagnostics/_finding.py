"""What a diagnostic says: numbers, told apart by layer, input and level where they are many."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One number over all images, or of one point of a curve or picture.

    A diagnostic that is swept leaves ``level`` to its stage.
    """

    quantity: str
    value: float
    layer: str = ""
    input: str = ""
    level: float | None = None
    n: int | None = None  # images behind it; None: all
