"""Does an information-theoretic defence against adversarial examples really hold?

    evaluation = robustinfo.judge(model, x, y, epsilon=8/255)
    evaluation.verdict, evaluation.robust_accuracy
    evaluation.save("judged")

Names are imported when they are first used: the command line's help needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from robustinfo.attacking import Attacked, attack
    from robustinfo.core.errors import UserError
    from robustinfo.evaluation.evaluation import Evaluation
    from robustinfo.evaluation.union.evaluation import UnionEvaluation
    from robustinfo.judging import judge
    from robustinfo.loading import load

__all__ = ["Attacked", "Evaluation", "UnionEvaluation", "UserError", "attack", "judge", "load"]
_MODULES = {
    "Attacked": "robustinfo.attacking",
    "Evaluation": "robustinfo.evaluation.evaluation",
    "UnionEvaluation": "robustinfo.evaluation.union.evaluation",
    "UserError": "robustinfo.core.errors",
    "attack": "robustinfo.attacking",
    "judge": "robustinfo.judging",
    "load": "robustinfo.loading",
}


def __getattr__(name: str) -> object:
    """A public name, from its module."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
