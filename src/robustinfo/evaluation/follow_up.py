"""Follow-up attacks: tell masked gradients from gradient attacks that were merely too short.

Carlini et al. (2019), arXiv 1902.06705: a black box, noise or a single step that beats the gradient
shows masked gradients, unless the gradient attack had too few steps. So, per threat model:

    search    on the images that only such weaker attacks broke, a long gradient search, with more
              steps, restarts and losses: what it breaks was a short search, the rest is masked
    doubling  on the images that are still robust, the evaluation's own PGD with twice the steps,
              and with as many new starts (convergence.py)
    hidden    on the images that resist every gradient attack of the evaluation and are broken by an
              ensemble or a black box: does the gradient of their cross-entropy vanish? Where a
              gradient attack on another loss breaks them, as on the margin, nothing is masked:
              networks trained to the end are as sure, and honest. If the evaluation has such an
              attack, and only the search breaks them, that attack was short.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks import gradient_search
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Entry
from robustinfo.diagnostics.zero_gradients import vanishing
from robustinfo.evaluation.convergence import batches_in_mask, convergence_check
from robustinfo.evaluation.outcome import WEAKER, Outcome
from robustinfo.evaluation.threats import Threat
from robustinfo.maths.balls import same_ball

QUANTITIES = ("short_search_fraction", "hidden_fraction", "convergence_gain", "restarts_gain")


class FollowUp(NamedTuple):
    """Masks of images, (n,) bool each; None where there is no attack to compare with."""

    only: dict[str, Tensor]  # as in Outcome, without what the search found
    short: Tensor  # only a weaker attack had broken them, and the search does, too
    hidden: Tensor | None  # broken by no gradient attack, and the cross-entropy's gradient is 0
    steps: Tensor | None  # robust, until PGD had twice the steps
    restarts: Tensor | None  # robust, until PGD had other starts

    def robust(self, before: Tensor) -> Tensor:
        """The images robust ``before``, without those that the doubling broke: (n,) bool."""
        return (
            before
            if self.steps is None or self.restarts is None
            else before & ~self.steps & ~self.restarts
        )


def follow_up(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    outcome: Outcome,
    ball: tuple[str, float],
    entries: Mapping[str, Entry],
    threats: Mapping[str, Threat],
    *,
    starts: Tensor,
    generator: Generator,
) -> FollowUp:
    """Follow up an outcome in a ball (norm, epsilon).  x: (n, c, h, w) in [0, 1].  y: (n,) labels.

    entries: the attacks that ran, by name. starts: like x, the images of weaker attacks, from which
    the search starts, too, after moving them back to where they are classified correctly.
    """
    pgd_entries = [
        entries[name] for name, one in threats.items() if _is_pgd(one, ball) and name in entries
    ]
    losses = {one.loss for one in threats.values() if one.norm == ball[0] and one.loss}
    short = torch.zeros_like(outcome.robust)
    for epsilon, suspects in outcome.suspects.items():  # of attacks in a smaller ball, within that
        config = gradient_search.Config(norm=ball[0], epsilon=epsilon)  # type: ignore[arg-type]
        for part in batches_in_mask(suspects & ~short, x):
            short[part] = gradient_search.perturb(
                model, x[part], y[part], config=config, generator=generator, starts=starts[part]
            )[1]
    only = {role: mask & ~short if role in WEAKER else mask for role, mask in outcome.only.items()}
    hidden = _hidden(model, x, y, outcome) if "cross_entropy" in losses else None
    if hidden is not None and len(losses) > 1:
        hidden = hidden & ~short
    if not pgd_entries:
        return FollowUp(only, short, hidden, None, None)
    gains = convergence_check(model, x, y, outcome.robust, pgd_entries, generator=generator)
    return FollowUp(only, short, hidden, gains.steps, gains.restarts)


def as_tensors(followed: FollowUp) -> dict[str, Tensor]:
    """The masks by name, those that are not None."""
    rest = {name: one for name, one in followed._asdict().items() if isinstance(one, Tensor)}
    return rest | {f"only/{role}": mask for role, mask in followed.only.items()}


def from_tensors(masks: Mapping[str, Tensor]) -> FollowUp:
    """The inverse of ``as_tensors``."""
    names = sorted(name for name in masks if name.startswith("only/"))
    only = {name.removeprefix("only/"): masks[name] for name in names}
    rest: dict[str, Any] = {name: masks.get(name) for name in FollowUp._fields[1:]}
    return FollowUp(only, **rest)


def measurements(followed: FollowUp) -> list[Measurement]:
    """Fractions of all images."""
    masks = zip(QUANTITIES, followed[1:], strict=True)
    return [fraction(name, mask) for name, mask in masks if mask is not None]


def _is_pgd(threat: Threat, ball: tuple[str, float]) -> bool:
    in_ball = threat.epsilon is not None and same_ball((threat.norm, threat.epsilon), ball)
    return in_ball and threat.method == "pgd"


def _hidden(model: nn.Module, x: Tensor, y: Tensor, outcome: Outcome) -> Tensor:
    mask = outcome.resists_gradients & outcome.broken
    rows = mask.nonzero().squeeze(1)
    if len(rows):
        mask = mask.clone()
        mask[rows] = vanishing(model, x[rows], y[rows])
    return mask


def keep_weaker(starts: Tensor, threat: Threat, success: Tensor, x_adv: Tensor, norm: str) -> None:
    """Write into starts, (n, c, h, w), the successes of an attack of a weaker role in the norm.

    success: (n,) bool.  x_adv: like starts.
    """
    if threat.norm == norm and threat.role in WEAKER:
        starts[success] = x_adv[success].to(starts)
