"""The attacks that ours are timed beside: foolbox and pyautoattack, as they document themselves."""

from typing import Any

import foolbox
import foolbox.attacks as fa
import torch
from pyautoattack import AutoAttack
from pyautoattack.square import SquareAttack
from torch import Tensor, nn

from benchmarks._attacked_networks import Attacked
from robustinfo.attacks import _foolbox, pgd, square
from robustinfo.attacks._decision_based import starting_points
from robustinfo.attacks._frozen import frozen, seeded
from robustinfo.attacks._success import keep_successes
from robustinfo.maths.balls import distance


def boxed(one: Attacked, attack: foolbox.Attack, epsilon: float | None, **given: Tensor) -> tuple:
    """foolbox's images, raw and cut to epsilon, and its own word on success, of a PyTorchModel."""
    target = foolbox.PyTorchModel(one.model, bounds=(0, 1))
    return attack(target, one.x, one.y, epsilons=epsilon, **given)


def smallest(one: Attacked, attack: foolbox.Attack, norm: str, **given: Tensor) -> Tensor:
    """(n,) how far foolbox's images are; inf where there is none that fools beyond rounding."""
    raw, cut, _ = boxed(one, attack, None, **given)
    found = raw.flatten(1).any(1)  # black is what Carlini and Wagner's gives where it failed
    cut = cut.clamp(0, 1)
    x_adv, success = keep_successes(
        one.model, one.x, one.y, cut, norm=norm, epsilon=None, claimed=found
    )
    return distance(x_adv - one.x, norm).masked_fill(~success, torch.inf)


def hop_skip_jump(one: Attacked, steps: int) -> Tensor:
    """From where ours begin."""
    begin = starting_points(one.model, one.x, one.y, norm="l2", generator=one.generator())
    with seeded(one.x, one.generator()):
        attack = fa.HopSkipJumpAttack(steps=steps)
        return smallest(one, attack, "l2", starting_points=begin)


def ours(one: Attacked, module: Any, **settings: object) -> Tensor:
    """What ``smallest`` is of an attack of ours."""
    config = module.Config(**settings)
    numbers = {"config": config, "generator": one.generator()}
    x_adv, success = module.perturb(one.model, one.x, one.y, **numbers)
    return distance(x_adv - one.x, config.norm).masked_fill(~success, torch.inf)


def _drawn(one: Attacked) -> int:
    """The seed that ours draw, of whatever asks torch's global generator."""
    device = one.x.device
    return int(torch.randint(2**62, (), generator=one.generator(), device=device))


def squares(one: Attacked, queries: int) -> Tensor:
    """(n,) who falls to the package's Square: with the same squares as ours, the last row's too."""
    attack = SquareAttack(
        one.model,
        n_queries=queries,
        eps=one.epsilon,
        seed=_drawn(one),
        device=one.x.device,
    )
    attack.random_int = square.corner
    with torch.no_grad(), torch.random.fork_rng():
        return _falls(one, attack.perturb(one.x, one.y))


def official(one: Attacked) -> Tensor:
    """(n,) who falls under the official AutoAttack, from the seed that ours draws."""
    attack = AutoAttack(
        one.model, norm="Linf", eps=one.epsilon, seed=_drawn(one), device=one.x.device
    )
    return _falls(one, attack.run_standard_evaluation(one.x, one.y, batch_size=len(one.x))[0])


@torch.no_grad()
def _falls(one: Attacked, x_adv: Tensor) -> Tensor:
    return one.right & (one.model(x_adv).argmax(1) != one.y)


def repeated_pgd(one: Attacked, config: pgd.Config) -> Tensor:
    """(n,) who is fooled at the end of a run, or was before."""
    attack = fa.LinfPGD(abs_stepsize=config.step_size, steps=config.steps).repeat(config.restarts)
    return boxed(one, attack, config.epsilon)[2]


def frozen_channels_last(one: Attacked, config: pgd.Config) -> Tensor:
    """The same, by somebody who knows what costs time: no weight's gradient, and channels last."""
    one.model.to(memory_format=torch.channels_last)
    with frozen(one.model):
        found = repeated_pgd(one, config)
    one.model.to(memory_format=torch.contiguous_format)
    return found


def at_any_step(one: Attacked, config: pgd.Config) -> tuple[Tensor, Tensor]:
    """(n,) who falls at any step of foolbox's runs, from our starts, and who at a run's last."""
    draw, any_step, last = one.generator(), torch.zeros_like(one.right), []
    attack = fa.LinfPGD(abs_stepsize=config.step_size, steps=config.steps)

    def look(_: nn.Module, given: tuple[Tensor], logits: Tensor) -> None:
        any_step.logical_or_(logits.argmax(1) != one.y)

    ball = {"norm": "linf", "epsilon": config.epsilon}
    for _ in range(config.restarts):
        hook = one.model.register_forward_hook(look)
        _, end = _foolbox.run(
            attack, one.model, one.x, one.y, epsilon=config.epsilon, generator=draw
        )
        hook.remove()
        last.append(keep_successes(one.model, one.x, one.y, end, **ball)[1])
    return any_step & one.right, torch.stack(last).any(0)
