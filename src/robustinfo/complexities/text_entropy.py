"""Entropy of a text's symbols, whatever their order.

The alphabet says what a symbol is; its three are columns of arXiv 1810.09650, table 2. Of
``character``: bits per character ("mean bits"). Of ``byte``, of the UTF-8 encoding: H / 8, which is
bits per bit that is stored ("H(BW)"). Of ``bit``, of these bytes: the same ("H(bW)"). The
estimate is the plug-in one, too low where a text is short: texts of different length do not
compare. See maths/entropy.py.
"""

from collections import Counter
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from robustinfo.core.settings import Settings
from robustinfo.maths.entropy import plug_in_bits

READS = "texts"
UNIT = "bits"
DIVISOR = {"character": 1, "byte": 8, "bit": 1}


class Config(Settings):
    alphabet: Literal["character", "byte", "bit"]  # what counts as a symbol


def measure(texts: list[str], *, config: Config) -> Tensor:
    """One value per text: (n,) float64; 0 for an empty one."""
    values = torch.zeros(len(texts), dtype=torch.float64)
    for place, text in enumerate(texts):
        values[place] = plug_in_bits(torch.tensor([symbol_counts(text, config.alphabet)]))
    return values / DIVISOR[config.alphabet]


def symbol_counts(text: str, alphabet: str) -> list[int]:
    """The count of each symbol of the text."""
    if alphabet == "character":
        return [*Counter(text).values()]
    code = text.encode()
    if alphabet == "byte":
        return [*Counter(code).values()]
    ones = int(np.unpackbits(np.frombuffer(code, np.uint8)).sum())
    return [ones, 8 * len(code) - ones]
