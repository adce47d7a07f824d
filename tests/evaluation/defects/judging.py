"""The verdict on a network, honestly or with what is planted."""

from robustinfo.evaluation.abstain import Abstaining
from robustinfo.evaluation.attacks import attacks_of
from robustinfo.evaluation.evaluate import evaluate
from robustinfo.evaluation.protocol import attacks, diagnostics
from robustinfo.evaluation.result import Result
from robustinfo.evaluation.sizes import SIZES, Size
from robustinfo.evaluation.threats import Ball
from tests.evaluation.defects.defect import Planted
from tests.evaluation.networks import Honest, honest

HONESTLY = Planted()


def judged(case: Honest, planted: Planted = HONESTLY, *, size: Size = SIZES[0]) -> Result:
    """The evaluation of the network of a case, with a plain twin that is no part of any defect."""
    ball = planted.ball(Ball(norm="linf", epsilon=case.epsilon))
    model = planted.network(case.model).eval()
    made = attacks_of({name: part.entry for name, part in attacks(size, ball).items()})
    if planted.attacks is not None:
        made = planted.attacks(ball, model)
    parts = diagnostics(size, ball, case.x[0].numel())
    return evaluate(
        model,
        case.x,
        case.y,
        classes=10,
        ball=ball,
        attacks=made,
        diagnostics={name: part.entry for name, part in parts.items()},
        twin=honest(case.dataset, "standard", 7).model,
        abstains=model.abstains if isinstance(model, Abstaining) else None,
        progress=lambda text: None,
    )
