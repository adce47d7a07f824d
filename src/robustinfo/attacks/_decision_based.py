"""What decision-based attacks share: their starting points, and the last step over the boundary.

A search starts from uniform noise that is misclassified, or, where 100 draws are classified
correctly, from the nearest image of the batch that is assigned to another class; then bisection
moves the start to the decision boundary between it and x. An image that ends on the boundary
itself, where rounding decides, is moved 0.1 % beyond it.
"""

from typing import Any

import eagerpy as ep
import foolbox
import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks import _foolbox
from robustinfo.attacks._consistency import INCONSISTENT, is_inconsistent
from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._success import fooled, keep_successes
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Norm, order

DRAWS = 100  # of noise, before an image of the batch is taken
BISECTIONS = 12
OVERSHOOT = 1.001  # factor on the perturbation of an image that ends on the boundary itself
REPEATS = 10  # of the same question in a row, which an attack asks until the answer is another


class _Misclassified(foolbox.Criterion):
    """Misclassification; an attack may pass several copies of its batch at once.

    HopSkipJump halves its step until all images fool, as they did before it; where a network takes
    that back, the step is 0 at last, and the same is asked for ever. Then a UserError is raised.
    """

    def __init__(self, y: Tensor) -> None:
        self.y, self.asked, self.repeats = y, torch.empty(0), 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.y!r})"

    def __call__(self, perturbed: ep.Tensor, outputs: ep.Tensor) -> ep.Tensor:  # type: ignore[override]
        again = self.asked.shape == perturbed.shape and torch.equal(self.asked, perturbed.raw)
        self.asked, self.repeats = perturbed.raw, self.repeats + 1 if again else 0
        if self.repeats == REPEATS:
            raise UserError(INCONSISTENT)
        classes = outputs.argmax(-1)
        return classes != self.y.repeat(len(classes) // len(self.y))  # type: ignore[return-value]


def run_from_starts(
    attack: foolbox.Attack,
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    norm: Norm,
    epsilon: float | None,
    generator: Generator,
) -> tuple[Tensor, Tensor]:
    """Run a foolbox attack from misclassified starting points. Returns ``perturb``'s pair.

    Where all images and noise are of one class, there is no start and no success. Raises UserError
    where it fails on a network that is inconsistent.
    """
    x_adv = starting_points(model, x, y, norm=norm, generator=generator)
    left = _is_misclassified(model, x, y).logical_not().nonzero().squeeze(1)
    # foolbox refuses a start that does not fool, and at the boundary the size of a batch can tell.
    while len(left) and not (fools := _is_misclassified(model, x_adv[left], y[left])).all():
        left = left[fools]
    if len(left):
        settings: dict[str, Any] = {
            "epsilon": epsilon,
            "generator": generator,
            "starting_points": x_adv[left],
        }
        try:
            criterion = _Misclassified(y[left])
            x_adv[left] = _foolbox.run(attack, model, x[left], criterion, **settings)[1]
        except Exception as error:  # what foolbox says, and torch, of a start that is lost
            if not is_inconsistent(model, x):
                raise
            raise UserError(INCONSISTENT) from error
    overshot = (x + OVERSHOOT * (x_adv - x)).clamp(0, 1)
    with frozen(model):
        beyond_rounding = fooled(model, x_adv, y)[:, None, None, None]
    x_adv = torch.where(beyond_rounding, x_adv, overshot)
    return keep_successes(model, x, y, x_adv, norm=norm, epsilon=epsilon)


@torch.no_grad()
def starting_points(
    model: nn.Module, x: Tensor, y: Tensor, *, norm: Norm, generator: Generator
) -> Tensor:
    """Misclassified images to start from, at the decision boundary, like x; any where none is."""
    with frozen(model):
        classes = model(x).argmax(1)
    distances = torch.cdist(x.flatten(1), x.flatten(1), p=order(norm))
    start = x[distances.masked_fill(classes == y[:, None], torch.inf).argmin(1)]
    left = (classes == y).nonzero().squeeze(1)
    for _ in range(DRAWS):
        if not len(left):
            break
        shape = (len(left), *x.shape[1:])
        noise = torch.rand(shape, generator=generator, device=generator.device).to(x)
        fools = _is_misclassified(model, noise, y[left])
        start[left[fools]] = noise[fools]
        left = left[~fools]
    clean_side, adversarial_side = x, start  # near is taken for the true class, reach is not
    for _ in range(BISECTIONS):
        middle = (clean_side + adversarial_side) / 2
        fools = _is_misclassified(model, middle, y)[:, None, None, None]
        clean_side, adversarial_side = (
            torch.where(fools, clean_side, middle),
            torch.where(fools, middle, adversarial_side),
        )
    return adversarial_side


@torch.no_grad()
def _is_misclassified(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    with frozen(model):
        return model(x).argmax(1) != y
