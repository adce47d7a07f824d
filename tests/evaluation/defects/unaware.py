"""Defects of attacks that do not know the defence, or know it and are led away by it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks import adaptive
from robustinfo.evaluation.abstain import Abstaining
from robustinfo.evaluation.attacks import Attack, attacks_of
from robustinfo.evaluation.threats import Threat
from tests.evaluation.defects.defect import (
    EPSILON,
    IN_BALL,
    PGD,
    STEP_SIZE,
    STEPS,
    Planted,
    undefended,
)

ROUGH, URGENCY = 0.095, 200.0  # mean second difference that alarms (clean: 0.07 at most); slope
OWN_TERM = {"epsilon": EPSILON, "step_size": STEP_SIZE, "steps": STEPS}


class Detector(nn.Module):
    """A class more, which wins where pixels differ from their neighbours more than in digits."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        logits = self.model(x)
        rough = sum(x.diff(n=2, dim=dim).abs().mean((1, 2, 3)) for dim in (2, 3))
        score = logits.amax(1) + URGENCY * (rough - ROUGH)
        return torch.cat([logits, score[:, None]], 1)


def detected(model: nn.Module) -> Abstaining:
    return Abstaining(Detector(undefended())).eval()


def unaware(ball, network):
    """PGD that does not know the detector, and the adaptive attack that does."""
    made = attacks_of({"pgd": PGD})
    aware = {"method": "adaptive", **IN_BALL, "step_size": STEP_SIZE, "steps": STEPS}
    return made | attacks_of({"adaptive": aware}, term=network.term)


def lost_in_its_term(model, x, y, *, generator):
    """CE + 1.0 T, where T of the defence is a thousand times as steep: the loss is not climbed."""
    config = adaptive.Config(**OWN_TERM, weights=[1.0], objectives=["cross_entropy"])

    def whole(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        logits = model(x)
        term = 1000 * (x.flatten(1) @ torch.linspace(-1, 1, x[0].numel())).sum()
        return logits, F.cross_entropy(logits, y, reduction="sum") + term

    return adaptive.perturb(model, x, y, config=config, generator=generator, term=whole)


def beside_pgd(ball, network):
    own = Threat("adaptive", "linf", EPSILON, "adaptive", "", (STEPS, 1))
    return attacks_of({"pgd": PGD}) | {"adaptive": Attack(own, lost_in_its_term, {})}


PLANTED = {
    "fixed_weight": Planted(attacks=beside_pgd),
    "detector": Planted(detected, unaware),
}
