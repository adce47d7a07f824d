"""The protocols: attacks and diagnostics in five sizes, each with its cost.

Each size runs everything that the smaller ones run, more thoroughly and on more images. From
``medium`` on, a network without any finding passes every check that can be made on its data: 0 of
400 images are surely below 1 % (Wilson's interval ends at 0.95 %), and 0 of 80 planted ones below
5 %. ``tiny`` and ``small`` have no AutoAttack: they can find a fault, but not say that a network
holds.
"""

from collections.abc import Sequence

from robustinfo.attacks import adaptive, gradient_search
from robustinfo.core.settings import diameter
from robustinfo.diagnostics import binarization_test
from robustinfo.evaluation.cost import Cost, Entry, Part
from robustinfo.evaluation.protocol_beside import beside_attacks
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball

CURVE_STEPS = 20
# Epsilons that a step of PGD is long. On adversarially trained networks (digits, linf 0.15) steps
# of 0.2 to 0.35 break more than those of 0.05 to 0.1, and twice as many break no more.
STEP = 0.25
REACH = 2.5  # epsilons that all steps of a path together are long, whose end is to be stationary
SUSPECTS = 0.1  # of the images, at most so many go through the long search, as a rule
HALVINGS = 12 + 28  # queries of a step of HopSkipJump, beside those around the boundary
# The longest attacks, without which a network never holds. Where the verdict is known to be
# invalid beforehand, they are not made (first_look.py).
ONLY_TO_HOLD = frozenset({"hop_skip_jump", "autoattack"})


def attacks(size: Size, ball: Ball, *, term: bool = False) -> dict[str, Part]:
    """Entries of attacks/, by name, all in the ball. term: with the adaptive attack."""
    in_ball, ascent = {"norm": ball.norm, "epsilon": ball.epsilon}, _pgd_settings(size, ball)
    search = ascent | {"method": "pgd", "until": "fooled"}
    one_attack = size.restarts * (size.steps + 1)
    parts = {
        "fgsm": Part({"method": "fgsm", **in_ball}, Cost(1, 1)),
        "pgd": Part(search, Cost(one_attack, 3)),
        "margin_pgd": Part(search | {"objective": "margin"}, Cost(one_attack, 3)),
        "noise": Part({"method": "additive_noise", **in_ball}, Cost(0, 2)),
        "random_search": Part(
            {"method": "random_search", **in_ball, "draws": size.draws}, Cost(0, size.draws + 2)
        ),
        "square": Part(
            {"method": "square", **in_ball, "queries": size.queries}, Cost(0, size.queries + 5)
        ),
    }
    if size.walk:
        labels = sum(100 * (step + 1) ** 0.5 + HALVINGS for step in range(size.walk))
        walk = {"method": "hop_skip_jump", **in_ball, "steps": size.walk}
        parts["hop_skip_jump"] = Part(walk, Cost(0, labels + 200))  # 100 draws, and bisections
    if ball.norm == "l2":  # the only distance that it minimises
        smallest = {
            "method": "carlini_wagner", "epsilon": ball.epsilon, "binary_search_steps": 4,
            "steps": size.steps, "step_size": 0.1, "initial_const": 1.0,
        }  # fmt: skip
        parts["carlini_wagner"] = Part(smallest, Cost(4 * size.steps + 4, 4))
    if size.ensemble:
        # APGD's runs and targets; FAB's 9 targets, which need two gradients a step; Square.
        runs = 5 + 5 if ball.norm == "l1" else 1 + 9
        cost = Cost(runs * 100 + 2 * 9 * 100, 5000 + 1000)
        parts["autoattack"] = Part({"method": "autoattack", **in_ball, "until": "fooled"}, cost)
    if term:
        parts["adaptive"] = Part(
            {"method": "adaptive", **ascent}, Cost(2 * adaptive.RUNS * one_attack, 30)
        )
    return parts


def follow_up(size: Size, ball: Ball) -> Cost:
    """The cost of the follow-up: a long search for some images, PGD doubled for the rest."""
    one_attack = size.restarts * (size.steps + 1)
    config = gradient_search.Config(norm=ball.norm, epsilon=ball.epsilon)
    search = gradient_search.RUNS * (config.steps + 1)
    return Cost(2 * 3 * one_attack + SUSPECTS * search + 2, 10)


def diagnostics(
    size: Size,
    ball: Ball,
    values: int,
    images: int | None = None,
    epsilons: Sequence[float] = (),
) -> dict[str, Part]:
    """Entries of diagnostics/, by name. values: of one image. images: if fewer than the size's.

    epsilons: of the curve, beside 0, the ball's and one that reaches any image; empty: fractions of
    the ball's, and twice it.
    """
    in_ball = {"norm": ball.norm, "epsilon": ball.epsilon}
    attack_parts = attacks(size, ball)
    levels = [share * ball.epsilon for share in (0.0, 0.25, 0.5, 1.0, 2.0)]
    if epsilons:
        levels = sorted({0.0, ball.epsilon, *epsilons})
    huge = diameter(ball.norm, values)
    levels = [level for level in levels if level < huge] + [huge]
    path = {"step_size": REACH * ball.epsilon / size.steps, "steps": size.steps}
    # On the margin: the cross-entropy of a network that is merely sure is flat in float32.
    curve: Entry = {"method": "attack_accuracy", "attack": "margin_pgd", "norm": ball.norm}
    curve |= {"steps": CURVE_STEPS}
    parts = {
        "output_checks": Part({"method": "output_checks"}, Cost(1, 9)),
        "zero_gradients": Part({"method": "zero_gradients", **in_ball}, Cost(20, 20)),
        "loss_trajectory": Part(
            {"method": "loss_trajectory", **in_ball, **path}, Cost(2 * size.steps + 2, 3)
        ),
        "epsilon_curve": Part(
            curve | {"sweep": {"epsilon": levels}}, Cost(len(levels) * (CURVE_STEPS + 1), 20)
        ),
    }
    search = (
        len(gradient_search.LOSSES)
        * (1 + binarization_test.LONG_SEARCH["restarts"])
        * binarization_test.LONG_SEARCH["steps"]
    )
    share = min(1.0, size.planted / min(size.images, images or size.images))
    for name in ("pgd", "margin_pgd"):
        gradients = attack_parts[name].cost.gradients + search
        cost = Cost(share * gradients, share * 420)  # 200 points around it, 200 at random
        entry = {
            "method": "binarization_test",
            "images": size.planted,
            "adversary": attack_parts[name].entry,
        }
        parts[f"binarization_{name}"] = Part(entry, cost)
    return parts | beside_attacks(size, ball)


def _pgd_settings(size: Size, ball: Ball) -> Entry:
    return {
        "norm": ball.norm,
        "epsilon": ball.epsilon,
        "step_size": STEP * ball.epsilon,
        "steps": size.steps,
        "restarts": size.restarts,
    }


def cost(
    size: Size, ball: Ball, values: int, images: int | None = None, *, term: bool = False
) -> Cost:
    """The cost of the whole protocol on so many images; arguments as in ``diagnostics``.

    Diagnostics run on no more than the size's images, attacks on all.
    """
    images = images or size.images
    attack_parts = attacks(size, ball, term=term).values()
    diagnostic_parts = diagnostics(size, ball, values, images).values()
    attacked = sum((part.cost for part in attack_parts), follow_up(size, ball))
    diagnosed = sum((part.cost for part in diagnostic_parts), Cost())
    return attacked.times(images) + diagnosed.times(min(images, size.images))
