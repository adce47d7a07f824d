"""Does an information-theoretic defence against adversarial examples really hold?

    evaluation = robustinfo.judge(model, x, y, epsilon=8/255)
    evaluation.verdict, evaluation.robust_accuracy
    evaluation.save("judged")

Names are imported when they are first used: the command line's help needs no torch.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from robustinfo.api import Attacked, Evaluation, attack, judge, load
    from robustinfo.core.errors import UserError

__all__ = ["Attacked", "Evaluation", "UserError", "attack", "judge", "load"]


def __getattr__(name: str) -> object:
    """The public name, from api.py."""
    if name == "UserError":
        from robustinfo.core.errors import UserError

        return UserError
    if name in __all__:
        from robustinfo import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
