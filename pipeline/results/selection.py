"""Result of a selection of layers: the layers to defend."""

import pandas as pd


def selected_layers(table: pd.DataFrame) -> list[str]:
    """Selected layers in a table of the stage select, in the candidates' order; may be empty."""
    layers = table[table.quantity.eq("selected") & table.value.eq(1)].layer
    return list(dict.fromkeys(layer for joined in layers for layer in joined.split("+")))
