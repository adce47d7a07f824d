"""Attacks on a network, with every success verified: an attack's own count is not trusted.

Libraries count images that were misclassified when clean, and images outside the ball; see
``attacks/_foolbox.py`` for what foolbox returns. Others pass over successes in silence (Pintor et
al. 2022, arXiv 2106.09947), or leave the network in training mode.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from torch import Generator, Tensor, nn

from robustinfo.attacks._consistency import INCONSISTENT, is_inconsistent
from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._success import lead
from robustinfo.core import registry
from robustinfo.core.batches import ImageSource
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Entry
from robustinfo.evaluation.threats import Threat, threat
from robustinfo.maths.balls import feasible

# (network, x, y, generator=) -> x_adv, like x, and the attack's own claim of success, (n,) bool.
Perturb = Callable[..., tuple[Tensor, Tensor]]
OWN = "own"  # the method in the entry of an attack that is not of attacks/


class Attack(NamedTuple):
    """An attack: its threat model, its function and its entry."""

    threat: Threat
    perturb: Perturb
    entry: Entry  # of the study or protocol
    images: ImageSource | None = None  # that were crafted before: those of the batch are passed on
    reusable: bool = True  # whether its entry and images say all that its results depend on

    @property
    def own(self) -> bool:
        """Whether it is the user's, whose mistakes are failures of the attack and nothing else."""
        return self.entry.get("method") == OWN

    def of_rows(self, rows: slice) -> Perturb:
        """Its function for these rows of all images."""
        if self.images is None:
            return self.perturb
        return partial(self.perturb, crafted=self.images[rows])


class AttackResult(NamedTuple):
    """Images like x, and (n,) bool each."""

    x_adv: Tensor
    success: Tensor
    miscounted: Tensor  # claims that are false, and successes that were not claimed
    infeasible: Tensor  # outside the ball, or [0, 1]


def attacks_of(entries: Mapping[str, Entry], **settings: object) -> dict[str, Attack]:
    """The attacks of a study's or protocol's entries. settings: for adaptive ones, ``term``."""
    attacks = {}
    for name, entry in entries.items():
        perturb, allowed = registry.get("attacks", entry), threat(entry)
        if allowed.role == "adaptive":
            perturb = _with_settings(perturb, settings)
        attacks[name] = Attack(allowed, perturb, entry)
    return attacks


def _with_settings(perturb: Perturb, settings: Mapping) -> Perturb:
    return lambda *args, **kwargs: perturb(*args, **kwargs, **settings)


def verify_success(
    model: nn.Module, y: Tensor, x_adv: Tensor, *, claimed: Tensor, clean_correct: Tensor
) -> tuple[Tensor, Tensor]:
    """True successes, and claims that are false, (n,) bool each.

    A success was claimed, was correct when clean, and is misclassified by more than rounding (see
    attacks/_success.py). A claimed image at a tie is neither a success nor a false claim.
    """
    ahead = lead(model, x_adv, y)
    return claimed & clean_correct & (ahead > 0), claimed & ~(clean_correct & (ahead >= 0))


def run_attack(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    clean_correct: Tensor,
    attack: Attack,
    *,
    rows: slice,
    generator: Generator,
) -> AttackResult:
    """Run one attack on one batch.  x: (n, c, h, w) in [0, 1].  y: (n,) labels.

    clean_correct: (n,) bool. rows: of the batch among all images. The network is verified in the
    mode that it came in. Raises UserError where the attack cannot run, by too few classes or
    inconsistent logits.
    """
    try:
        with frozen(model):
            x_adv, claimed = attack.of_rows(rows)(model, x, y, generator=generator)
        infeasible = ~feasible(x, x_adv, attack.threat.norm, attack.threat.epsilon)
        verify = partial(verify_success, model, y, x_adv, clean_correct=clean_correct)
        success, false = verify(claimed=claimed)
        changed = (x_adv != x).flatten(1).any(1) & ~infeasible & ~claimed
        silent = verify(claimed=changed)[0] if changed.any() else changed
    except UserError:
        raise
    except Exception as error:
        if not is_inconsistent(model, x):
            raise
        raise UserError(f"{type(error).__name__}: {error}; {INCONSISTENT}") from error
    return AttackResult(x_adv, success | silent, false | silent, infeasible)
