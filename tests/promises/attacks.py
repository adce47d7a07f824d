"""What every attack promises."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from robustinfo.evaluation.threats import ROLES
from robustinfo.maths.balls import feasible
from tests.promises import Held, alone, seeded


class Case(NamedTuple):
    """A network with right and wrong answers and dropout, in eval mode; inputs and labels."""

    model: nn.Module
    x: Tensor
    y: Tensor


class Answers(nn.Module):
    """A network's answers without gradients, or its labels alone; and how often it is asked."""

    def __init__(self, model: nn.Module, *, labels: bool = False) -> None:
        super().__init__()
        self.model, self.labels, self.asked = model, labels, [0]

    def forward(self, x: Tensor) -> Tensor:
        """(n, K) logits."""
        self.asked[0] += len(x)
        with torch.no_grad():
            logits = self.model(x)
        if not self.labels:
            return logits
        return nn.functional.one_hot(logits.argmax(1), logits.shape[1]).to(logits)


def held(one: Held, case: Case) -> None:
    """Raises Broken at the first promise that the attack breaks."""
    one.keeps(one.module.ROLE in ROLES, f"ROLE is one of {', '.join(ROLES)}")
    with alone(one, case.x, case.y, model=case.model):
        found = _perturbed(one, case)
    _honest(one, case, *found)
    _decided(one, case, found)
    _knows_no_more(one, case, found)
    if one.hook("perturb_with_extras"):
        _counted(one, case, found)
    if one.hook("craft"):
        with alone(one, case.x, case.y, model=case.model):
            x_adv = one.module.craft(*case, config=one.config, generator=seeded())
        _possible(one, case, x_adv, "craft's images")


def _perturbed(one: Held, case: Case, verb: str = "perturb") -> tuple:
    term = {"term": _term(case.model)} if one.module.ROLE == "adaptive" else {}
    return getattr(one.module, verb)(*case, config=one.config, generator=seeded(), **term)


def _term(model: nn.Module):
    """What a defence adds that wants logits to be small."""

    def term(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        logits = model(x)
        return logits, logits.square().sum()

    return term


def _possible(one: Held, case: Case, x_adv: Tensor, what: str) -> None:
    x = case.x
    alike = x_adv.shape == x.shape and x_adv.dtype == x.dtype and x_adv.device == x.device
    one.keeps(alike, f"{what} are like x in shape, dtype and device")
    if not x.is_floating_point():
        words = case.model.embedding.num_embeddings
        one.keeps(x_adv.min() >= 0 and x_adv.max() < words, f"{what} are words of the vocabulary")
        return
    one.keeps(x_adv.min() >= 0 and x_adv.max() <= 1, f"{what} lie in [0, 1]")
    inside = feasible(x, x_adv, one.config.norm, one.config.epsilon)
    one.keeps(inside.all(), f"{what} lie in the ball of epsilon")


@torch.no_grad()
def _honest(one: Held, case: Case, x_adv: Tensor, success: Tensor) -> None:
    model, x, y = case
    mask = success.dtype == torch.bool and success.shape == y.shape
    one.keeps(mask, "success is (n,) bool")
    _possible(one, case, x_adv, "adversarial images")
    right, wrong_now = model(x).argmax(1) == y, model(x_adv).argmax(1) != y
    one.keeps(right[success].all(), "a success was right when clean")
    one.keeps(wrong_now[success].all(), "a success is wrong now, the network asked again")
    one.keeps(x_adv[~success].equal(x[~success]), "a failure returns its x, bit for bit")


def _decided(one: Held, case: Case, found: tuple) -> None:
    torch.manual_seed(99)
    again = _perturbed(one, case)
    one.keeps(_same(found, again), "the generator alone decides")
    case.model.train()
    modes = [part.training for part in case.model.modules()]
    try:
        as_used = _perturbed(one, case)
        came_back = [part.training for part in case.model.modules()] == modes
    finally:
        case.model.eval()
    one.keeps(came_back, "the network's modes come back")
    one.keeps(_same(found, as_used), "a network in training mode is attacked as it will be used")


def _knows_no_more(one: Held, case: Case, found: tuple) -> None:
    """Whose ROLE or constants say so gets along without gradients, logits, more than its queries.

    Beside its queries it may ask about the clean images, and twice about what it made, in two
    precisions. Who asks for labels succeeds alike; near the boundary, where logits are compared to
    leave ties out, its images may differ by rounding.
    """
    if one.module.ROLE in ("noise", "black_box"):
        answers = Answers(case.model).eval()
        blind = _perturbed(one, case._replace(model=answers))
        one.keeps(_same(found, blind), "it asks no gradient")
        if queries := getattr(one.config, "queries", None):
            most = len(case.y) * (queries * getattr(one.config, "restarts", 1) + 6)
            one.keeps(answers.asked[0] <= most, "it asks as often as `queries` says")
    if one.hook("DECISION_BASED"):
        labels = Answers(case.model, labels=True).eval()
        x_adv, success = _perturbed(one, case._replace(model=labels))
        near = torch.allclose(x_adv, found[0], atol=1e-3)
        one.keeps(success.equal(found[1]) and near, "it asks labels alone")


def _counted(one: Held, case: Case, found: tuple) -> None:
    with alone(one, case.x, case.y, model=case.model):
        *same, extra = _perturbed(one, case, "perturb_with_extras")
    one.keeps(_same(found, same), "perturb_with_extras finds what perturb finds")
    one.keeps({*extra} <= {*one.hook("COUNTS")}, "other counts of success are those of COUNTS")
    masks = all(m.dtype == torch.bool and m.shape == case.y.shape for m in extra.values())
    one.keeps(masks, "other counts of success are (n,) bool")


def _same(one: tuple, other: tuple) -> bool:
    return all(a.equal(b) for a, b in zip(one[:2], other[:2], strict=True))
