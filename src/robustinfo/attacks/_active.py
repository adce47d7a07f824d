"""Gradient attacks that look at every step, and may go on without the images that have fallen.

An image counts as fooled if any step fools the network, the start included, as in AutoAttack: each
of them is an image that the attacker could have sent. (foolbox looks at the last one alone, so that
more steps can seem weaker than fewer.) What is random is drawn for all images, so that those that
leave change nothing for those that stay; and every objective has the same starts, so that what one
finds beyond another is not its luck.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import eagerpy as ep
import foolbox
import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks._folded import folded
from robustinfo.attacks._foolbox import frozen, judged, seeded
from robustinfo.attacks._run import BOX, Climbed, Run, look, walked
from robustinfo.core.settings import Settings


class Found(NamedTuple):
    """What an attack made, like x, and (n,) bool: who falls at any step, which is what counts."""

    x_adv: Tensor
    success: Tensor
    last_step: Tensor  # who falls at a run's last, as papers count

    def with_extras(self) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """What ``perturb_with_extras`` returns of an attack whose images do not leave."""
        return self.x_adv, self.success, {"last_step": self.last_step}


@torch.no_grad()
def search(
    attack: foolbox.Attack,
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    climbs: Sequence[Climbed],
    config: Settings,
    generator: Generator,
    leave: bool = False,
    precision: torch.dtype = torch.float32,
    sizes: Sequence[float] | None = None,
    starts: Sequence[Tensor] = (),
) -> Found:
    """x_adv is the last image that fooled; runs go on with those that no last step has turned.

    climbs: one after another, each from ``starts``, like x, and then from as many as ``restarts``.
    config: with norm, epsilon, step_size, steps and restarts.
    leave: whether an image leaves for good once it fools; x_adv is then the first that did.
    precision: of the search, bfloat16 or float32. What it finds is judged in float32, and by the
    model itself: the search runs on a folded copy.
    sizes: of the steps; None: all have the step_size.
    """
    x_adv, success = x.clone(), torch.zeros_like(y, dtype=torch.bool)
    last, ball = success.clone(), {"norm": config.norm, "epsilon": config.epsilon}
    sizes = sizes or [config.step_size] * config.steps
    with frozen(model):
        twin, correct = folded(model, x), model(x).argmax(1) == y
        for climbed, start in _runs(attack, x, climbs, config, generator, starts):
            left = (correct & ~(success if leave else last)).nonzero().squeeze(1)
            if not len(left):
                continue  # to the next start, which is drawn all the same
            run = Run(x[left], y[left], start[left], config.epsilon, sizes)
            found, fools, end = walked(attack, partial(look, twin, climbed, precision), run, leave)
            at = left[fools]
            if not len(at):
                continue
            made, true = judged(model, x[at], y[at], found[fools], **ball)
            x_adv[at[true]], success[at[true]] = made[true], True
            last[at[true & end[fools]]] = True
    return Found(x_adv, success, last)


def _runs(
    attack: foolbox.Attack,
    x: Tensor,
    climbs: Sequence[Climbed],
    config: Settings,
    generator: Generator,
    starts: Sequence[Tensor],
) -> Iterator[tuple[Climbed, Tensor]]:
    """Every objective from each of its starts; the generator goes on as if there were one."""
    before = generator.clone_state()
    for number, climbed in enumerate(climbs):
        draws = before.clone_state() if number else generator
        for start in starts:
            yield climbed, start
        for _ in range(config.restarts):
            with seeded(x, draws):
                start = _start(attack, x, config.epsilon)
            yield climbed, start


def _start(attack: foolbox.Attack, x: Tensor, epsilon: float) -> Tensor:
    if not attack.random_start:
        return x
    return attack.get_random_start(ep.astensor(x), epsilon).clip(*BOX).raw
