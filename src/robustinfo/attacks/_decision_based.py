"""What the attacks that ask for the label alone share: where they start, and what they end with.

A search starts from uniform noise that fools, or, where the network takes 100 draws for the true
class, from the nearest image of the batch that it takes for another; and by bisection from where
the line between x and that first fools. Searches that end on the boundary itself, where rounding
decides, go 0.1 % back.
"""

from typing import Any

import eagerpy as ep
import foolbox
import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks import _foolbox
from robustinfo.attacks._contradicted import WHY, contradicts_itself
from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._success import fooled, judged
from robustinfo.core.errors import UserError

DRAWS = 100  # of noise, before an image of the batch is taken
HALVINGS = 12
BACK = 1.001  # of the distance, where a search has ended on the boundary itself
_P = {"linf": torch.inf, "l2": 2.0}


class _Fooled(foolbox.Criterion):
    """Misclassified. An attack may ask for several rounds of all its images at once."""

    def __init__(self, y: Tensor) -> None:
        self.y = y

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.y!r})"

    def __call__(self, perturbed: ep.Tensor, outputs: ep.Tensor) -> ep.Tensor:  # type: ignore[override]
        classes = outputs.argmax(-1)
        return classes != self.y.repeat(len(classes) // len(self.y))  # type: ignore[return-value]


def searched(
    attack: foolbox.Attack,
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    norm: str,
    epsilon: float | None,
    generator: Generator,
) -> tuple[Tensor, Tensor]:
    """``perturb`` of a foolbox attack that begins at images that fool. (x_adv, success).

    Where all images and noise are of one class, there is no start and no success. Raises UserError
    where it fails on a network that contradicts itself.
    """
    x_adv = starts(model, x, y, norm=norm, generator=generator)
    left = _fooling(model, x, y).logical_not().nonzero().squeeze(1)
    # foolbox refuses a start that does not fool, and at the boundary the size of a batch can tell.
    while len(left) and not (fools := _fooling(model, x_adv[left], y[left])).all():
        left = left[fools]
    if len(left):
        settings: dict[str, Any] = {
            "epsilon": epsilon,
            "generator": generator,
            "starting_points": x_adv[left],
        }
        try:
            x_adv[left] = _foolbox.run(attack, model, x[left], _Fooled(y[left]), **settings)[1]
        except Exception as error:  # what foolbox says, and torch, of a start that is lost
            if not contradicts_itself(model, x):
                raise
            raise UserError(WHY) from error
    back = (x + BACK * (x_adv - x)).clamp(0, 1)
    with frozen(model):
        surely = fooled(model, x_adv, y)[:, None, None, None]
    x_adv = torch.where(surely, x_adv, back)
    return judged(model, x, y, x_adv, norm=norm, epsilon=epsilon)


@torch.no_grad()
def starts(model: nn.Module, x: Tensor, y: Tensor, *, norm: str, generator: Generator) -> Tensor:
    """For each image one that fools, if there is any to be had. Like x."""
    with frozen(model):
        classes = model(x).argmax(1)
    apart = torch.cdist(x.flatten(1), x.flatten(1), p=_P[norm])
    start = x[apart.masked_fill(classes == y[:, None], torch.inf).argmin(1)]
    left = (classes == y).nonzero().squeeze(1)
    for _ in range(DRAWS):
        if not len(left):
            break
        shape = (len(left), *x.shape[1:])
        noise = torch.rand(shape, generator=generator, device=generator.device).to(x)
        fools = _fooling(model, noise, y[left])
        start[left[fools]] = noise[fools]
        left = left[~fools]
    near, reach = x, start  # near is taken for the true class, reach is not
    for _ in range(HALVINGS):
        middle = (near + reach) / 2
        fools = _fooling(model, middle, y)[:, None, None, None]
        near, reach = torch.where(fools, near, middle), torch.where(fools, middle, reach)
    return reach


@torch.no_grad()
def _fooling(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    with frozen(model):
        return model(x).argmax(1) != y
