"""AutoAttack, standard version: four attacks whose numbers are fixed, and nothing to tune.

Croce and Hein (2020), arXiv 2003.01690, by their package pyautoattack. An image is robust only if
it resists, in this order and each on the images that those before did not break:
APGD-CE    100 steps on the cross-entropy, with a step size that halves itself,
APGD-T     100 on -(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2), the targeted DLR loss, whose z_(i)
           is the i-th largest logit, for each of the 9 likeliest wrong classes t,
FAB-T      100 to the nearest point where each of these classes wins (arXiv 1907.02044),
Square     5,000 random squares, without any gradient (arXiv 1912.00049).
With K < 10 classes there are K - 1 targets; K < 4 has no z_(4), and no standard version. In l1
(arXiv 2103.01208) APGD-CE has 5 restarts and APGD-T 5 targets, and each run of 100 steps begins in
balls of 3 and 2 epsilon.

Known bias: the result is an upper bound of the robust accuracy. The numbers were chosen for
deterministic networks with useful gradients, and an attack made for one defence can find more.
Where AutoAttack doubts itself (random or zero gradients, squares that beat the gradients) it logs a
warning. Most successes lie at epsilon: their distances say nothing of the smallest perturbation.

It runs on a folded copy of the network (see _fused_batchnorm.py), FAB with several targets in one
batch (see _fab_run.py), and Square in linf with several squares (see _square_own_pace.py). Square
goes on with images at a tie between two classes, which the package counts as fooled and gives up
(see _success.py). With ``until: fooled`` an image stops APGD at its first success: the same images
are broken, in a fraction of the time where many are, but x_adv is then barely adversarial, and not
fit for measures and complexities. ``precision: bfloat16``, for such a search on processors that
have it, computes the gradients of APGD and FAB in bfloat16. Successes are decided in float32, and
Square compares its margins there, whose differences are smaller than bfloat16's rounding.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, Self

import torch
from pyautoattack import AutoAttack
from pydantic import model_validator
from torch import Generator, Tensor, nn

from robustinfo.attacks._apgd_early_stopping import stop_early
from robustinfo.attacks._fab_run import run_targets
from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._fused_batchnorm import fold_batchnorm
from robustinfo.attacks._square_own_pace import at_own_pace
from robustinfo.attacks._success import keep_successes
from robustinfo.attacks.square import NORMS, check_tiles, use_verified_margins
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Norm, Pixels, Settings
from robustinfo.maths.straight_through import with_value

ROLE = "ensemble"

# Its progress would come once per batch; its warnings doubt the result and are wanted.
logging.getLogger("auto-attack").setLevel(logging.WARNING)


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    # fooled: for a search, whose caller needs no more than a success
    until: Literal["end", "fooled"] = "end"
    precision: Literal["float32", "bfloat16"] = "float32"  # of the gradients

    @model_validator(mode="after")
    def bfloat16_only_searches(self) -> Self:
        """Otherwise the package counts images that are misclassified in bfloat16 alone."""
        if self.precision == "bfloat16" and self.until == "end":
            raise ValueError("`precision: bfloat16` is for a search; write `until: fooled`")
        return self


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    Raises UserError below 4 classes and, in l2 and l1, for the few sizes of images without a start
    of Square.
    """
    # Without a seed AutoAttack takes the clock. Its four attacks all start from this one.
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with frozen(model), restoring_global_state():
        folded = fold_batchnorm(model, x)
        attack = _standard(
            _InBox(folded) if config.norm == "l1" else folded, x, config=config, seed=seed
        )
        use_verified_margins(attack.square, model, folded)
        # Views inside fail on other memory formats; the caller has cut the batch already.
        raw, _ = attack.run_standard_evaluation(x.contiguous(), y, batch_size=len(x))
    raw = raw.clamp(0, 1)  # as the network has seen it
    return keep_successes(model, x, y, raw, norm=config.norm, epsilon=config.epsilon)


class _InBox(nn.Module):
    """A network that sees images in [0, 1], which the package's rounding leaves in l1."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """x: (n, c, h, w) -> (n, K). The gradient is that of the network."""
        return self.network(with_value(x, x.clamp(0, 1)))


def _standard(model: nn.Module, x: Tensor, *, config: Config, seed: int) -> AutoAttack:
    """The authors' numbers, but no more targets than there are wrong classes."""
    with torch.no_grad():
        classes = model(x[:1]).shape[1]
    if classes < 4:
        raise UserError(
            f"AutoAttack's standard version needs at least 4 classes, for its targeted DLR loss, "
            f"and the model has K = {classes}; use pgd with restarts"
        )
    check_tiles(config.norm, *x.shape[2:])
    attack = AutoAttack(
        model, norm=NORMS[config.norm], eps=config.epsilon, seed=seed, device=x.device
    )
    for one in (attack.apgd_targeted, attack.fab):
        one.n_target_classes = min(one.n_target_classes, classes - 1)
    numbers: dict[str, Any] = {"targets": attack.fab.n_target_classes, "steps": attack.fab.n_iter}
    numbers |= {"norm": config.norm, "epsilon": config.epsilon}
    bfloat16 = config.precision == "bfloat16"
    attack.fab.perturb = partial(run_targets, model, **numbers, bfloat16=bfloat16)
    if config.norm == "linf":
        at_own_pace(attack.square)
    if config.until == "fooled":
        stop_early(attack.apgd, bfloat16=bfloat16)
        stop_early(attack.apgd_targeted, bfloat16=bfloat16)
    return attack


@contextmanager
def restoring_global_state() -> Iterator[None]:
    """Restore torch's global random states and the trace function afterwards.

    AutoAttack seeds every device before each attack, and ends a debugger's or coverage's trace.
    """
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    trace = sys.gettrace()
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        sys.settrace(trace)
