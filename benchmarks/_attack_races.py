"""Loops of ours beside those of peers, and when both find the same."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import foolbox.attacks as fa
import torch
from torch import Tensor

from benchmarks import _attack_peers as peers
from benchmarks._attacked_networks import Attacked
from robustinfo.attacks import autoattack, carlini_wagner, deepfool, hop_skip_jump, pgd, square

SQUARES = {"LeNet-5": 2000}  # queries; of others 300
CW = {"binary_search_steps": 4, "steps": 50, "initial_const": 1.0, "step_size": 0.05}
STEPS, RESTARTS, HOPS = 20, 5, 3

Falls = Tensor  # (n,) bool: who falls; or floats: how far from x, inf for those who stand


class Race(NamedTuple):
    """Loops of ours beside those of peers on one network."""

    what: str
    on: Attacked
    ours: dict[str, Callable[[], Falls]]
    theirs: dict[str, Callable[[], Falls]]
    equal: Callable[
        [str, Falls, Falls], bool
    ]  # the name of a loop of ours, what it and theirs gave
    goal: float


def same_falls(_: str, found: Falls, expected: Falls) -> bool:
    return found.equal(expected)


def as_far(_: str, found: Falls, expected: Falls) -> bool:
    """The same fall, as far from x within 1 %."""
    stand = found.isinf()
    return stand.equal(expected.isinf()) and torch.allclose(found[~stand], expected[~stand], 0.01)


def no_farther(_: str, found: Falls, expected: Falls) -> bool:
    """All fall that fell, and in the median no farther from x, within 1 %."""
    fall = expected.isfinite()
    found, expected = found[fall], expected[fall]
    return bool(found.isfinite().all() and found.median() <= 1.01 * expected.median())


def falls(one: Attacked, module: Any, **settings: object) -> Callable[[], Falls]:
    return lambda: peers.ours(one, module, **settings).isfinite()


def far(one: Attacked, module: Any, **settings: object) -> Callable[[], Falls]:
    return partial(peers.ours, one, module, **settings)


def deepfools(one: Attacked, norm: str) -> Race:
    attack = {"l2": fa.L2DeepFoolAttack, "linf": fa.LinfDeepFoolAttack}[norm]()
    theirs = {"foolbox": partial(peers.smallest, one, attack, norm)}
    return Race(f"DeepFool, {norm}", one, {"": far(one, deepfool, norm=norm)}, theirs, as_far, 4)


def carlini_wagners(one: Attacked) -> Race:
    attack = fa.L2CarliniWagnerAttack(
        stepsize=CW["step_size"], **{key: CW[key] for key in CW if key != "step_size"}
    )
    theirs = {"foolbox": partial(peers.smallest, one, attack, "l2")}
    what = f"Carlini and Wagner, {CW['binary_search_steps']} x {CW['steps']} steps"
    return Race(what, one, {"": far(one, carlini_wagner, **CW)}, theirs, as_far, 2.2)


def square_attacks(one: Attacked) -> Race:
    queries = SQUARES.get(one.name, 300)
    loops = {"": falls(one, square, epsilon=one.epsilon, queries=queries)}
    theirs = {"pyautoattack": partial(peers.squares, one, queries)}
    return Race(f"Square, linf, {queries} queries", one, loops, theirs, same_falls, 3)


def hop_skip_jumps(one: Attacked) -> Race:
    loops = {"": far(one, hop_skip_jump, steps=HOPS)}
    theirs = {"foolbox": partial(peers.hop_skip_jump, one, HOPS)}
    return Race(f"HopSkipJump, l2, {HOPS} steps", one, loops, theirs, no_farther, 3)


def pgds(one: Attacked) -> Race:
    ball = {"epsilon": one.epsilon, "step_size": one.epsilon / 8, "steps": STEPS}
    numbers = ball | {"restarts": RESTARTS}
    config = pgd.Config(**numbers)
    loops = {
        "until: end": falls(one, pgd, **numbers),
        "until: fooled": falls(one, pgd, **numbers, until="fooled"),
        "bfloat16": falls(one, pgd, **numbers, until="fooled", precision="bfloat16"),
    }
    theirs = {
        "foolbox, as documented": partial(peers.repeated_pgd, one, config),
        "foolbox, frozen, channels last": partial(peers.frozen_channels_last, one, config),
    }
    any_step, last = peers.at_any_step(one, config)

    def equal(name: str, found: Falls, _: Falls) -> bool:
        return _contains(found, any_step, name) and not (last & ~found).any()

    return Race(f"PGD-{STEPS}, {RESTARTS} restarts", one, loops, theirs, equal, 2.5)


def autoattacks(one: Attacked) -> Race:
    loops = {
        "until: end": falls(one, autoattack, epsilon=one.epsilon),
        "until: fooled": falls(one, autoattack, epsilon=one.epsilon, until="fooled"),
        "bfloat16": falls(
            one, autoattack, epsilon=one.epsilon, until="fooled", precision="bfloat16"
        ),
    }
    theirs = {"official": partial(peers.official, one)}

    def equal(name: str, found: Falls, expected: Falls) -> bool:
        return _contains(found, expected, name)

    return Race("AutoAttack, standard", one, loops, theirs, equal, 2.5)


def _contains(found: Falls, expected: Falls, name: str) -> bool:
    """The same; in bfloat16 more may fall."""
    return not (expected & ~found).any() and (name == "bfloat16" or found.equal(expected))


RACES = {
    "pgd": pgds,
    "autoattack": autoattacks,
    "square": square_attacks,
    "hop_skip_jump": hop_skip_jumps,
    "carlini_wagner": carlini_wagners,
    "deepfool_l2": partial(deepfools, norm="l2"),
    "deepfool_linf": partial(deepfools, norm="linf"),
}
