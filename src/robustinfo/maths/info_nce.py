"""InfoNCE, the lower bound of mutual information that a critic of pairs gives, in bits.

van den Oord et al. (2018), arXiv 1807.03748, as Poole et al. (2019), arXiv 1905.06922, write it:
of m independent pairs and a critic's scores s_ij of (a_i, b_j),

    I(A; B) >= mean_i s_ii - log(1/m sum_j exp s_ij),

for any critic that has not seen these pairs. It never exceeds log m, and so says nothing beyond.
"""

import math

from torch import Tensor


def info_nce_bits(scores: Tensor) -> Tensor:
    """The bound, a scalar.  scores: (m, m), of the i-th of one side and the j-th of the other."""
    own = scores.diagonal() - scores.logsumexp(1)
    return own.mean() / math.log(2) + math.log2(len(scores))
