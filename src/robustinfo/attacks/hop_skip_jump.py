"""HopSkipJump: a decision-based attack that estimates the boundary's normal from labels alone.

Chen, Jordan and Wainwright (2020), arXiv 1904.02144, as in foolbox, in l2 and linf. Step t queries
``first_labels`` sqrt(t) points around an image on the boundary; the mean of their directions, those
of points that are classified correctly with a minus, is the boundary's normal. The image moves
along it (linf: its sign) by |x' - x| / sqrt(t), halved until it is misclassified, and by bisection
back to the boundary. Starts, and the final 0.1 % beyond the boundary, are in _decision_based.py.

Two things differ from foolbox. There the normals of all images of a batch are divided by one common
norm, so that steps in l2 are shorter the more images there are: with 64 on a linear model, 5 steps
ended at 2.09 times the smallest perturbation; here each normal has norm 1, as in the paper, and
they ended at 1.04 times. And there all points of a step are held at once; here a batch of them is.
In l1, which the paper and foolbox leave out, an image moves along the normal by an l1 distance, and
back through ever smaller balls, as in linf: on a LeNet-5 (24 images of the digits) the median l1
distance was 28.3 after 10 steps and 17.3 after 30; along a line, as in l2, 36.7 and 28.9; FAB's was
10.9.

Known bias: slow. On a trained LeNet-5 (50 images of MNIST) the median l2 distance was 1.56 after 10
steps, 2,500 labels an image, and 1.26 after 30, 11,800 labels; the boundary attack of Brendel et
al. (2018) had 2.01 after 5,500 labels, Carlini and Wagner's attack finds 1.02. In linf it was 0.141
and 0.111, FAB's 0.074. Where several boundaries are near, it follows the first one: on a linear
model of four classes a tenth of the images ended 1.3 times as far as the nearest boundary (l2).
"""

from collections.abc import Callable
from typing import Any

import eagerpy as ep
import foolbox
import foolbox.attacks as fa
import torch
from pydantic import PositiveInt
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks._decision_based import BISECTIONS, run_from_starts
from robustinfo.core.batches import quick_batch
from robustinfo.core.settings import Norm, Pixels, Settings
from robustinfo.maths.balls import distance
from robustinfo.maths.norms.l1 import projected

ROLE = "black_box"
DECISION_BASED = True


class Config(Settings):
    norm: Norm = "l2"
    epsilon: Pixels | None = None  # None: any perturbation counts
    steps: PositiveInt = 64
    first_labels: PositiveInt = 100  # of the first step, for each image
    most_labels: PositiveInt = 10_000  # of one step


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon if there is one; a failure
    returns its x. Where all images and noise are of one class, there is no start and no success.
    """
    in_l1 = config.norm == "l1"
    attack = (_InL1 if in_l1 else fa.HopSkipJumpAttack)(
        steps=config.steps,
        initial_gradient_eval_steps=config.first_labels,
        max_gradient_eval_steps=config.most_labels,
        constraint="linf" if config.norm == "linf" else "l2",
    )
    draw = _uniform if config.norm == "linf" else torch.randn

    def normals(fools: Callable, at: ep.Tensor, samples: int, size: ep.Tensor) -> ep.Tensor:
        def is_adversarial(points: Tensor) -> Tensor:
            return fools(ep.astensor(points)).raw

        found = _normals(is_adversarial, at.raw, samples, size.raw, draw)
        return ep.astensor(F.normalize(found.flatten(1), p=1).view_as(found) if in_l1 else found)

    attack.approximate_gradients = normals  # type: ignore[assignment,method-assign]
    return run_from_starts(
        attack, model, x, y, norm=config.norm, epsilon=config.epsilon, generator=generator
    )


class _InL1(fa.HopSkipJumpAttack):
    """Back to the boundary through ever smaller balls, as in linf, and not along a line."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401
        super().__init__(**settings)
        self.distance = foolbox.distances.l1

    def _binary_search(
        self, is_adversarial: Callable[[ep.Tensor], ep.Tensor], x: ep.Tensor, at: ep.Tensor
    ) -> ep.Tensor:
        inside, outside = torch.zeros(len(x), device=x.raw.device), distance((at - x).raw, "l1")
        for _ in range(BISECTIONS):
            middle = (inside + outside) / 2
            fools = is_adversarial(ep.astensor(projected(x.raw, at.raw, middle))).raw
            inside, outside = (
                torch.where(fools, inside, middle),
                torch.where(fools, middle, outside),
            )
        return ep.astensor(projected(x.raw, at.raw, outside))


def _uniform(*shape: int, **like: torch.device | torch.dtype) -> Tensor:
    return 2 * torch.rand(*shape, **like) - 1  # type: ignore[call-overload]


def _normals(
    fools: Callable[[Tensor], Tensor], at: Tensor, samples: int, size: Tensor, draw: Callable
) -> Tensor:
    """The boundary's normal at each of the images, estimated from ``samples`` points around each.

    fools: (m, c, h, w) -> (m,) bool.  at: (n, c, h, w) on the boundary.  size: (n,) the points'
    distance.  draw: (*shape) -> their directions, not normalised. Returns like at, of l2 norm 1.
    """
    n, radius = len(at), size.view(-1, *[1] * (at.ndim - 1))
    toward, directions, balance = torch.zeros_like(at), torch.zeros_like(at), torch.zeros_like(size)
    batch = max(1, quick_batch(at) // n)
    for start in range(0, samples, batch):
        u = draw(min(batch, samples - start), *at.shape, device=at.device, dtype=at.dtype)
        u = u / u.flatten(2).norm(dim=2).view(*u.shape[:2], *[1] * (at.ndim - 1))
        points = (at + radius * u).clamp(0, 1)
        u = (points - at) / (radius + 1e-8)  # what the box leaves of it
        sign = fools(points.flatten(0, 1)).view(-1, n).to(at) * 2 - 1
        toward += torch.einsum("kn,kn...->n...", sign, u)
        directions += u.sum(0)
        balance += sign.sum(0)
    mean = balance / samples
    baseline = torch.where(mean.abs() == 1, 0, mean).view_as(radius)
    normal = (toward - baseline * directions).flatten(1)
    return (normal / (normal.norm(dim=1, keepdim=True) + 1e-12)).view_as(at)
