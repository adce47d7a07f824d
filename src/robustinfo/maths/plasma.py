"""Plasma fractals: clouds by the diamond-square algorithm, as fog is made of.

Fournier, Fussell and Carpenter (1982), Communications of the ACM 25, 371-384; here on a torus, as
in the code of Hendrycks and Dietterich (2019), arXiv 1903.12261.
"""

import torch
from torch import Generator, Tensor

WIBBLE = 100.0  # of the first step; only ratios matter, as the result is scaled


def plasma(n: int, size: int, decay: float, generator: Generator) -> Tensor:
    """n clouds (n, size, size) from 0 to 1, float64 on the generator's device.

    size: a power of two, 2 or more. decay: by which the noise shrinks as the grid becomes finer:
    the larger, the smoother the cloud.
    """
    clouds = torch.zeros(n, size, size, dtype=torch.float64, device=generator.device)
    step, wibble = size, WIBBLE

    def noisy_mean(total: Tensor) -> Tensor:
        """The mean of the four around, whose sum is given, and noise."""
        noise = torch.rand(
            total.shape, generator=generator, device=generator.device, dtype=total.dtype
        )
        return total / 4 + wibble**2 * (2 * noise - 1)

    while step >= 2:
        half = step // 2
        corners = clouds[:, ::step, ::step]
        of_two = corners + corners.roll(-1, 1)
        clouds[:, half::step, half::step] = noisy_mean(of_two + of_two.roll(-1, 2))
        centres, corners = clouds[:, half::step, half::step], clouds[:, ::step, ::step]
        beside = centres + centres.roll(1, 1) + corners + corners.roll(-1, 2)
        clouds[:, ::step, half::step] = noisy_mean(beside)
        below = centres + centres.roll(1, 2) + corners + corners.roll(-1, 1)
        clouds[:, half::step, ::step] = noisy_mean(below)
        step, wibble = half, wibble / decay
    clouds -= clouds.amin((1, 2), keepdim=True)
    return clouds / clouds.amax((1, 2), keepdim=True)
