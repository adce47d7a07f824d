"""Defects of attacks that hardly attack: what remains is no robustness."""

from functools import partial

from robustinfo.evaluation.attacks import attacks_of
from robustinfo.evaluation.threats import Ball
from tests.evaluation.defects.attack_faults import perturbed, stepping
from tests.evaluation.defects.defect import IN_BALL, PGD, STEP_SIZE, Planted, claims, only
from tests.evaluation.networks import honest


def transferred(model, x, y, *, generator):
    """Images made against another network are all that is tried."""
    x_adv = perturbed(honest("digits", "standard", 3).model, x, y, generator)
    return x_adv, claims(model, x, y, x_adv)


def few_steps(ball, network):
    return attacks_of({"pgd": {**PGD, **IN_BALL, "steps": 3}})


DESCENDING = partial(stepping, step=lambda slope: -STEP_SIZE * slope.sign())
FAINT = partial(stepping, step=lambda slope: STEP_SIZE * slope)
PLANTED = {
    "few_steps": Planted(attacks=few_steps),
    "unit": Planted(ball=lambda ball: Ball(norm=ball.norm, epsilon=ball.epsilon / 255)),
    "descending": Planted(attacks=only(DESCENDING)),
    "faint": Planted(attacks=only(FAINT)),
    "transfer_only": Planted(attacks=only(transferred, "black_box")),
}
