"""The strongest attacks on planted defects by who knows them exactly, one each.

They take the network behind the defect, the defended network, and the images, and return the images
that they found; a success is verified on the defended network.
"""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks import gradient_search, pgd, square
from robustinfo.attacks._objectives import OBJECTIVES, loss_gradient
from robustinfo.maths.margin import margin

EPSILON = 0.15  # of honest networks on the digits
LUMINANCE = torch.tensor(
    [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69,
        56, 14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81,
        104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ]
).view(8, 8).float()  # fmt: skip  # ITU-T T.81, table K.1: libjpeg's at quality 50


def on_sixteen_greys(net: nn.Module, defended: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """PGD over the greys that x + epsilon and x - epsilon round to, on the network behind them."""
    low, high = ((15 * (x + side).clamp(0, 1)).round() / 15 for side in (-EPSILON, EPSILON))
    found, left = x.clone(), torch.ones_like(y, dtype=torch.bool)
    for start in range(4):
        for name in ("margin", "cross_entropy", "dlr"):
            at = low + (high - low) * (torch.rand_like(x) if start else (x - low) / (high - low))
            for step in range(100):
                grey = (15 * at).round() / 15
                logits, slope = loss_gradient(net, OBJECTIVES[name], grey, y)
                new = left & (logits.argmax(1) != y)
                found[new], left = grey[new], left & ~new
                at = at + (1 - step / 100) * EPSILON / 2 * slope.sign()
                at = torch.minimum(torch.maximum(at, low), high)
    # Within epsilon, the nearest value to a grey that can be reached rounds to it.
    return torch.minimum(torch.maximum(found, x - EPSILON), x + EPSILON).clamp(0, 1)


def through_noise(net: nn.Module, defended: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """PGD on the margin and the cross-entropy of 40 draws; the best end of each image."""
    ends = [x]
    config = gradient_search.ascent(gradient_search.Config(epsilon=EPSILON, steps=40))
    for name in ("margin", "cross_entropy"):

        def loss(model: nn.Module, at: Tensor, y: Tensor, name: str = name) -> tuple:
            total = sum(OBJECTIVES[name](defended, at, y)[1] for _ in range(40))
            return at.flatten(1), total

        ends.append(pgd.craft(net, x, y, config=config, generator=Generator(), loss=loss))
    with torch.no_grad():
        leads = [sum(-margin(defended(end), y) for _ in range(100)) for end in ends]
    return torch.stack(ends)[torch.stack(leads).argmax(0), torch.arange(len(y))]


class SoftJpeg(nn.Module):
    """JPEG at quality 50 whose rounding is r + (t - r)^3, before a network.

    Shin and Song (2017), JPEG-resistant adversarial images: it has a gradient, and nearly JPEG's
    values. Grey images of at most 32 x 32.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        k = torch.arange(8.0)
        basis = torch.cos((2 * k[None] + 1) * k[:, None] * torch.pi / 16) / 2
        basis[0] /= 2**0.5
        self.basis = basis  # rows: frequencies

    def forward(self, x: Tensor) -> Tensor:
        n, _, h, w = x.shape
        padded = F.pad(255 * x - 128, (0, -w % 8, 0, -h % 8), mode="replicate")
        blocks = padded.unfold(2, 8, 8).unfold(3, 8, 8)  # (n, 1, rows, columns, 8, 8)
        scaled = self.basis @ blocks @ self.basis.T / LUMINANCE
        rounded = scaled.round().detach()
        kept = (rounded + (scaled - rounded) ** 3) * LUMINANCE
        back = (self.basis.T @ kept @ self.basis).transpose(3, 4).reshape(n, 1, *padded.shape[2:])
        return self.net(((back[..., :h, :w] + 128) / 255).clamp(0, 1))


def through_jpeg(net: nn.Module, defended: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Gradient search through the soft JPEG and through the identity; then Square.

    At every step JPEG itself answers.
    """
    found, left = x.clone(), torch.ones_like(y, dtype=torch.bool)
    for backward in (SoftJpeg(net), net):

        def loss(model: nn.Module, at: Tensor, y: Tensor, backward: nn.Module = backward) -> tuple:
            total = OBJECTIVES["margin"](backward, at, y)[1]
            return defended(at.detach()), total

        config = gradient_search.ascent(
            gradient_search.Config(epsilon=EPSILON, steps=100, restarts=1)
        )
        found[left] = pgd.search(
            defended, x[left], y[left], [loss], config=config, generator=Generator(),
            early_stop=True, starts=[x[left]],
        )[0]  # fmt: skip
        left = left & (defended(found).argmax(1) == y)
    return _then_square(found, left, defended, x, y)


def over_winners(net: nn.Module, defended: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Tramer et al. (2020): the mean gradient of 20 points around, at three radii; then Square."""
    found, left = x.clone(), torch.ones_like(y, dtype=torch.bool)
    config = gradient_search.ascent(gradient_search.Config(epsilon=EPSILON, steps=60, restarts=1))
    for share in (0.1, 0.3, 0.6):

        def loss(model: nn.Module, at: Tensor, y: Tensor, share: float = share) -> tuple:
            points = (at + share * EPSILON * torch.randn_like(at) for _ in range(20))
            return defended(at.detach()), sum(OBJECTIVES["margin"](net, p, y)[1] for p in points)

        found[left] = pgd.search(
            defended, x[left], y[left], [loss], config=config, generator=Generator(),
            early_stop=True,
        )[0]  # fmt: skip
        left = left & (defended(found).argmax(1) == y)
    return _then_square(found, left, defended, x, y)


def _then_square(found: Tensor, left: Tensor, defended: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """What was found, and of what is left, (n,) bool, the best points of Square."""
    queries = square.Config(epsilon=EPSILON, queries=5000)
    found[left] = square.best_points(
        defended, x[left], y[left], config=queries, generator=Generator()
    )
    return found
