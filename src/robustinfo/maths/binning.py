"""Entropies of a discretised representation: the whole layer vector is one symbol. In bits.

Shwartz-Ziv and Tishby (2017), arXiv 1703.00810. A deterministic T has I(T_b; X) = H(T_b).
"""

import numpy as np
from torch import Tensor


def symbols(t: Tensor, width: float, origin: float = 0.0) -> np.ndarray:
    """floor((t - origin) / width), one id per distinct row: (n, d) -> (n,) ids from 0."""
    cells = ((t.double() - origin) / width).floor().int().cpu().numpy()
    rows = np.ascontiguousarray(cells).view(np.dtype((np.void, cells.shape[1] * 4))).ravel()
    return np.unique(rows, return_inverse=True)[1].ravel()


def entropies_bits(ids: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """(H(T_b), sum_c p_c H(T_b | c)) in bits, of the (n,) ids and their (n,) labels."""

    def entropy(of: np.ndarray) -> float:
        p = np.unique(of, return_counts=True)[1] / len(of)
        return float(-(p * np.log2(p)).sum()) + 0.0

    within = sum(np.mean(y == c) * entropy(ids[y == c]) for c in np.unique(y))
    return entropy(ids), float(within)
