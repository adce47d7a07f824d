"""Attacks on a network, audited: an attack's own word on its success is not enough.

Libraries count images that were wrong from the start, and images of their own making; see
``attacks/_foolbox.py`` for what foolbox returns.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Generator, Tensor, nn

from robustinfo.attacks._contradicted import WHY, contradicts_itself
from robustinfo.attacks._success import lead
from robustinfo.core import registry
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Entry
from robustinfo.judge.threats import Threat, threat

# (network, x, y, generator=) -> x_adv, like x, and the attack's own word on its success, (n,) bool.
Perturb = Callable[..., tuple[Tensor, Tensor]]


class Attack(NamedTuple):
    """How an image is attacked, and what is allowed."""

    threat: Threat
    perturb: Perturb
    entry: Entry  # of the study or protocol


class Attacked(NamedTuple):
    """What one attack made of images: the images, and (n,) bool, true and false successes."""

    x_adv: Tensor
    success: Tensor
    miscounted: Tensor


def attacks_of(entries: Mapping[str, Entry], **settings: object) -> dict[str, Attack]:
    """The attacks of a study's or protocol's entries. settings: for adaptive ones, ``term``."""
    found = {}
    for name, entry in entries.items():
        perturb, allowed = registry.get("attacks", entry), threat(entry)
        if allowed.role == "adaptive":
            perturb = _given(perturb, settings)
        found[name] = Attack(allowed, perturb, entry)
    return found


def _given(perturb: Perturb, settings: Mapping) -> Perturb:
    return lambda *args, **kwargs: perturb(*args, **kwargs, **settings)


def audited(
    model: nn.Module, y: Tensor, x_adv: Tensor, *, claimed: Tensor, right: Tensor
) -> tuple[Tensor, Tensor]:
    """(n,) bool each: which successes are true, and which were claimed and are not.

    A success was correct when clean (right) and is misclassified now, by more than rounding (see
    attacks/_success.py); the attack's word (claimed) is not enough. Who claims a tie is not right,
    but has not miscounted either.
    """
    ahead = lead(model, x_adv, y)
    return claimed & right & (ahead > 0), claimed & ~(right & (ahead >= 0))


def attacked(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    right: Tensor,
    attack: Attack,
    *,
    generator: Generator,
) -> Attacked:
    """One attack on the images of one batch, audited.

    x: (n, c, h, w) in [0, 1].  y: (n,) labels.  right: (n,) bool, correct when clean. Raises
    UserError where the network gives the attack no hold, by too few classes or answers that
    contradict each other.
    """
    try:
        x_adv, claimed = attack.perturb(model, x, y, generator=generator)
        return Attacked(x_adv, *audited(model, y, x_adv, claimed=claimed, right=right))
    except UserError:
        raise
    except Exception as error:
        if not contradicts_itself(model, x):
            raise
        raise UserError(f"{type(error).__name__}: {error}; {WHY}") from error
