"""Types that tables and claims share: columns of the results, and filters on them."""

from typing import Literal

Column = Literal[
    "dataset", "model", "defence", "seed",
    "stage", "entry", "input", "epoch", "layer", "level", "quantity",
]  # fmt: skip
Where = dict[Column, str | int | float | list[str | int | float]]
