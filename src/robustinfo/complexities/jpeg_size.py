"""Size of the whole JPEG file, header included, with Pillow's defaults at a quality."""

import torch
from torch import Tensor
from torch.nn import functional as F

from robustinfo.core.settings import Settings
from robustinfo.distortions import _pillow, jpeg
from robustinfo.maths.jpeg_colour import ONE, TO_YCC
from robustinfo.maths.jpeg_dct import TRANSFORM
from robustinfo.maths.jpeg_quantisation import steps

UNIT = "bytes"


class Config(Settings):
    quality: jpeg.Quality  # of the encoder, 1 to 100


def measure(images: Tensor, *, config: Config) -> Tensor:
    """File sizes in bytes, (n,) float64.  images: (n, c, h, w) uint8, c 1 or 3, or ValueError."""
    encoded = [
        _pillow.encode(image, "JPEG", quality=config.quality) for image in _pillow.to_pillow(images)
    ]
    return torch.tensor([len(file) for file in encoded], dtype=torch.float64)


def surrogate(x: Tensor, *, config: Config) -> Tensor:
    """A differentiable stand-in for the size, by which an attacker keeps the file small.

    x: (n, c, h, w) in [0, 1], floats, c 1 or 3. Returns (n,): the sum of log2(1 + r^2) / 2 over the
    cosine coefficients r of all blocks in units of their step, roughly the bits that their
    magnitudes take.
    """
    luminance, chrominance = steps(config.quality)
    if x.shape[1] == 1:
        return _bits(255 * x - 128, luminance)
    weights = x.new_tensor(TO_YCC) / ONE  # the offset of the chromas costs no bits
    luma, *chroma = torch.einsum("kc,nchw->knhw", weights, 255 * x).unsqueeze(2)
    bits = _bits(luma - 128, luminance)
    for plane in chroma:
        half = F.avg_pool2d(plane, 2, ceil_mode=True)
        bits = bits + _bits(half, chrominance)
    return bits


def _bits(plane: Tensor, step: Tensor) -> Tensor:
    """(n, 1, h, w) and (8, 8) to (n,)."""
    transform = TRANSFORM.to(plane) / TRANSFORM.to(plane).norm(dim=1, keepdim=True)
    basis = torch.einsum("ui,vj->uvij", transform, transform).reshape(64, 1, 8, 8)
    h, w = plane.shape[2:]
    padded = F.pad(plane, (0, -w % 8, 0, -h % 8), mode="replicate")
    ratio = F.conv2d(padded, basis / step.to(plane).view(64, 1, 1, 1), stride=8)
    return (1 + ratio.square()).log2().sum((1, 2, 3)) / 2
