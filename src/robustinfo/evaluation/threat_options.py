"""The threat model that a command or a program names: one, or several, whose union is asked, too.

    --norm linf --epsilon 8/255                   epsilon=8/255, norm="linf"
    --threat linf:8/255 --threat l2:0.5           epsilon={"linf": 8/255, "l2": 0.5}

Nothing here imports torch: a wrong option is told without it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Norm
from robustinfo.evaluation import options

DEFAULT = "linf"
EXAMPLE = "--threat linf:8/255 --threat l2:0.5"
# Where a plan names no epsilon: any takes as many passes, unless twice as much reaches any image.
EPSILONS: dict[Norm, str] = {"linf": "8/255", "l2": "0.5", "l1": "12"}


class Threats(NamedTuple):
    """The threat models: epsilon by norm, in pixel values of [0, 1]."""

    epsilons: dict[Norm, float]
    union: bool  # whether several were named, even if it is but one

    def only_norm(self) -> Norm:
        """The norm, where there is one. Raises UserError of a union."""
        if self.union:
            raise UserError(
                "the epsilons of a curve are of one norm; leave them out where several threat "
                "models are named, since each has the curve of its protocol"
            )
        return next(iter(self.epsilons))


def of_command(epsilon: str | None, norm: str | None, named: Sequence[str]) -> Threats:
    """The threat models of a command line. named: of ``--threat``. Raises UserError."""
    if not named:
        if epsilon is None:
            raise UserError(f"no threat model is named: write --epsilon 8/255, or {EXAMPLE}")
        return _one(epsilon, norm)
    if norm is not None or epsilon is not None:
        raise UserError("--threat has its norm and epsilon: leave out --norm and --epsilon")
    return _several(map(_parts, named))


def of_program(epsilon: float | str | Mapping[str, float | str], norm: str | None) -> Threats:
    """The threat models of a program's arguments. Raises UserError."""
    if not isinstance(epsilon, Mapping):
        return _one(str(epsilon), norm)
    if norm is not None:
        raise UserError(f"epsilon names its norms ({', '.join(epsilon)}): leave out norm={norm!r}")
    if not epsilon:
        raise UserError('epsilon names no norm; write epsilon={"linf": 8/255, "l2": 0.5}')
    return _several((name, str(size)) for name, size in epsilon.items())


def _parts(text: str) -> tuple[str, str]:
    norm, colon, epsilon = text.partition(":")
    if not colon:
        raise UserError(f"--threat {text}: write a norm and its epsilon, as {EXAMPLE}")
    return norm.strip(), epsilon.strip()


def _one(epsilon: str, norm: str | None) -> Threats:
    ball_norm = options.norm(norm or DEFAULT)
    return Threats({ball_norm: options.epsilon(epsilon, ball_norm)}, union=False)


def _several(named: Iterable[tuple[str, str]]) -> Threats:
    epsilons: dict[Norm, float] = {}
    for norm, epsilon in named:
        ball_norm = options.norm(norm)
        if ball_norm in epsilons:
            raise UserError(f"{ball_norm} is named twice; a union has one epsilon per norm")
        epsilons[ball_norm] = options.epsilon(epsilon, ball_norm)
    return Threats(epsilons, union=True)
