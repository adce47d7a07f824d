"""Square attack: random squares, kept where they bring another class nearer. No gradient.

Andriushchenko et al. (2020), arXiv 1912.00049, as in pyautoattack, whose authors are among the
paper's. It minimises the margin z_y - max_{i != y} z_i by logits alone. ``linf`` starts from
vertical stripes of +- epsilon and recolours a square of +- epsilon; ``l2``, and ``l1`` (Croce and
Hein, 2021, arXiv 2103.01208), start from tiles, and move into one window the budget of another. A
square is kept if the margin falls; its share of the image falls from ``p_init`` by halves, at
queries 10, 50, 200, 500, 1000, 2000, 4000, 6000 and 8000 of 10,000, rescaled to ``queries``.
AutoAttack's last attack is the same with 5,000 queries, but not rescaled: its squares stay larger.

Three things differ from the package. There a small square never touches the last row and the last
column, as the paper's do. There an image at a tie of two classes counts as fooled and is given up;
here it is fooled beyond rounding (see _success.py) or goes on. And the margin is that of a folded
copy (see _fused_batchnorm.py); success is decided by the network itself. In linf an image tries
several squares in one batch (see _square_own_pace.py).

Known bias: one square a step for all images of a batch. On a trained LeNet-5 (200 images of MNIST)
it broke 59 % in linf 0.1, where 40 steps of PGD broke 61 %, and 56 % in l2 1.5, PGD 66 %; after
adversarial training 5 % (linf 0.2) and 17 % (l2), PGD 4 % and 14 %. In l2 squares have 3 pixels a
side and more: on linear models with random weights it broke images whose boundary lies within 0.6
to 0.8 epsilon. Most successes lie at epsilon.
"""

from collections.abc import Callable
from typing import Annotated

import torch
from pyautoattack.square import SquareAttack
from pydantic import Field, PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks._frozen import frozen, seeded
from robustinfo.attacks._fused_batchnorm import fold_batchnorm
from robustinfo.attacks._restarts import run_attempts
from robustinfo.attacks._square_own_pace import at_own_pace
from robustinfo.attacks._success import fooled, keep_successes
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Norm, Pixels, Settings
from robustinfo.maths.margin import margin

ROLE = "black_box"
NORMS = {"linf": "Linf", "l2": "L2", "l1": "L1"}  # in pyautoattack


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    queries: PositiveInt = 5_000  # squares that are tried, for each image and run
    p_init: Annotated[float, Field(gt=0, le=1)] = 0.8  # of the pixels, the first square's share
    restarts: PositiveInt = 1


@torch.no_grad()
def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    Raises UserError for the sizes of images that have no start in l2 and l1.
    """
    check_tiles(config.norm, *x.shape[2:])
    x = x.contiguous()  # views inside fail on other memory formats

    def attempt(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        found = attack.attack_single_run(x[rows], y[rows])[1].clamp(0, 1)
        fools = fooled(model, found, y[rows])
        return found, fools, fools

    with frozen(model), seeded(x, generator):
        attack = _attack(model, x, config)
        correct = model(x).argmax(1) == y
        x_adv, _, _ = run_attempts(x, correct, [attempt] * config.restarts)
    return keep_successes(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)


@torch.no_grad()
def best_points(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """The point of one run with the least margin, whether it fools or not; arguments: ``perturb``.

    Like x, in the ball and [0, 1].
    """
    check_tiles(config.norm, *x.shape[2:])
    x = x.contiguous()
    with frozen(model), seeded(x, generator):
        return _attack(model, x, config).attack_single_run(x, y)[1].clamp(0, 1)


def check_tiles(norm: str, h: int, w: int) -> None:
    """Raise UserError unless the tiles that a search in l2 or l1 starts from fit such images."""
    if norm == "linf":
        return
    if h < 5:
        raise UserError(
            f"Square's tiles in {norm} need images of at least 5 pixels of height, not {h}; "
            "use linf or larger images"
        )
    side = h // 5
    first = (h - 5 * side) // 2
    over = [d for d in (h, w) if first + d // side * side > d]
    if over and side > 1:  # a tile of one pixel beyond the edge is an empty one
        raise UserError(
            f"Square's tiles in {norm}, of {side} pixels from pixel {first} on, do not fit images "
            f"of {h} x {w} pixels; use linf, or another size, such as 28 x 28"
        )


def _attack(model: nn.Module, x: Tensor, config: Config) -> SquareAttack:
    attack = SquareAttack(
        model,
        norm=NORMS[config.norm],
        n_queries=config.queries,
        eps=config.epsilon,
        p_init=config.p_init,
        device=x.device,
    )
    attack.init_hyperparam(x)
    use_verified_margins(attack, model, fold_batchnorm(model, x))
    attack.random_int = corner
    if config.norm == "linf":
        at_own_pace(attack)
    return attack


def use_verified_margins(attack: SquareAttack, model: nn.Module, folded: nn.Module) -> None:
    """Make the search use the folded copy's margin, and go on until the model itself is fooled."""
    attack.margin_and_loss = _margins(model, folded)


def _margins(model: nn.Module, folded: nn.Module) -> Callable[[Tensor, Tensor], tuple]:
    """The margin that the search minimises: the folded copy's, below 0 where the model is fooled.

    At a tie it is above 0.
    """

    def margins(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        x = x.clamp(0, 1)  # in l1 the package's rounding leaves it
        values = margin(folded(x), y)
        least = torch.finfo(values.dtype).tiny
        misclassified = values <= 0
        if misclassified.any():
            fools = fooled(model, x[misclassified], y[misclassified])
            values[misclassified] = torch.where(
                fools, values[misclassified].clamp(max=-least), least
            )
        return values, values.clone()  # the search writes into both

    return margins


def corner(low: int, high: int) -> Tensor:
    """A corner of the square, (1,), up to ``high`` included, drawn on the CPU as in the package."""
    return torch.randint(low, high + 1, (1,))
