"""Attacks on a network, with every success verified: an attack's own count is not trusted.

Libraries count images that were misclassified when clean, and images outside the ball; see
``attacks/_foolbox.py`` for what foolbox returns.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks._consistency import INCONSISTENT, is_inconsistent
from robustinfo.attacks._success import lead
from robustinfo.core import registry
from robustinfo.core.batches import correct, memory_batches
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Entry
from robustinfo.judge.threats import Threat, threat

# (network, x, y, generator=) -> x_adv, like x, and the attack's own claim of success, (n,) bool.
Perturb = Callable[..., tuple[Tensor, Tensor]]
Progress = Callable[[str], object]  # called with a line on the current work


class Attack(NamedTuple):
    """An attack: its threat model, its function and its entry."""

    threat: Threat
    perturb: Perturb
    entry: Entry  # of the study or protocol


class AttackResults(NamedTuple):
    """Results by attack: images like x, and (n,) bool each, true and falsely claimed successes."""

    x_adv: dict[str, Tensor]
    success: dict[str, Tensor]
    miscounted: dict[str, Tensor]
    failed: dict[str, str]  # attacks that raised an error, and why


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


def run_attacks(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    attacks: Mapping[str, Attack],
    generator: Generator,
    progress: Progress = print,
) -> AttackResults:
    """Run every attack on every image.  x: (n, c, h, w) in [0, 1].  y: (n,) labels.

    An attack that cannot run, by too few classes or inconsistent logits, is recorded in ``failed``,
    and the others go on.
    """
    results = AttackResults({}, {}, {}, {})
    for name, (_, perturb, _) in attacks.items():
        progress(name)
        parts = []
        try:
            for a, b, clean_correct in memory_batches(x, y, correct(model, x, y)):
                x_adv, claimed = perturb(model, a, b, generator=generator)
                parts.append(
                    (
                        x_adv,
                        *verify_success(
                            model, b, x_adv, claimed=claimed, clean_correct=clean_correct
                        ),
                    )
                )
        except UserError as error:
            results.failed[name] = str(error)
            continue
        except Exception as error:
            if not is_inconsistent(model, x):
                raise
            results.failed[name] = f"{type(error).__name__}: {error}; {INCONSISTENT}"
            continue
        for by_name, part in zip(results[:3], zip(*parts, strict=True), strict=True):
            by_name[name] = torch.cat(part)
    return results
