"""What a selection came to: the layers to defend."""

import pandas as pd


def layers(table: pd.DataFrame) -> list[str]:
    """The layers that a table of the stage select chose, in the candidates' order, if any."""
    hit = table[table.quantity.eq("selected") & table.value.eq(1)].layer
    return list(dict.fromkeys(layer for one in hit for layer in one.split("+")))
