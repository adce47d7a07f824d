"""Matrix-based Renyi entropy of order alpha, and the mutual information that it defines, in bits.

Sanchez Giraldo, Rao and Principe (2015), arXiv 1211.2459: of a kernel matrix K of n samples with a
unit diagonal, A = K / n,

    S(A) = log2(sum_i lambda_i(A)^alpha) / (1 - alpha),   I(A; B) = S(A) + S(B) - S(A o B / tr),

o the elementwise product, which is the kernel of the pair. No density is estimated: it is an
entropy of its own and converges to Shannon's only as the kernels narrow and n grows. It lies in
[0, log2 n]: at 0 all samples are alike to the kernel, at log2 n none is like another.
"""

import torch
from torch import Tensor


def entropy_bits(kernel: Tensor, alpha: float = 1.01) -> float:
    """S_alpha of a kernel matrix (n, n), positive semidefinite with a unit diagonal.

    Raises ValueError if alpha is not above 0, or is 1.
    """
    if not alpha > 0 or alpha == 1:
        raise ValueError(
            f"alpha is above 0 and not 1, where the formula is 0 / 0; here it is {alpha}"
        )
    spectrum = torch.linalg.eigvalsh(kernel.double() / len(kernel)).clamp_(min=0)
    return spectrum.pow(alpha).sum().log2().item() / (1 - alpha)


def information_bits(one: Tensor, other: Tensor, alpha: float = 1.01) -> float:
    """I_alpha(A; B) of two kernel matrices (n, n) of the same samples."""
    parts = (entropy_bits(kernel, alpha) for kernel in (one, other))
    return sum(parts) - entropy_bits(one * other, alpha)
