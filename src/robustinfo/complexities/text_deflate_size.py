"""Bytes per word that a text takes after zlib's deflate (RFC 1950): what repeats costs little.

The "compressed size" of arXiv 1810.09650, table 2, which names no codec. It falls as a text grows,
since more of it has been seen before: texts of different length do not compare.
"""

import zlib

import torch
from torch import Tensor

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Settings

READS = "texts"
UNIT = "bytes per word"
LEVEL = 9  # zlib searches longest


class Config(Settings):
    pass


def measure(texts: list[str], *, config: Config) -> Tensor:
    """Bytes per word, (n,) float64.  texts: words with white space between them.

    Raises ValueError for a text without words.
    """
    words = [len(text.split()) for text in texts]
    if 0 in words:
        raise UserError(f"text {words.index(0)} of {len(texts)} has no words")
    packed = [len(zlib.compress(text.encode(), LEVEL)) for text in texts]
    return torch.tensor(packed, dtype=torch.float64) / torch.tensor(words)
