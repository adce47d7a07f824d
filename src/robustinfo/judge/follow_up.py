"""Gradient attacks go on where they may merely have been too short, before anything accuses.

Carlini et al. (2019), arXiv 1902.06705: a black box, noise or a single step that beats the gradient
shows masked gradients, unless the gradient attack had too few steps. So, per threat model:

    search    on the images that only such weaker attacks broke, a long gradient search, with more
              steps, restarts and losses: what it finds was a short search, the rest is masked
    doubling  on the images that are left, the evaluation's own PGD with twice the steps, and with
              as many starts again (convergence.py)
    hidden    the images that resist every gradient attack of the evaluation and fall all the same,
              to an ensemble or a black box: has their cross-entropy any slope? Where a gradient
              attack on another loss breaks them, as on the margin, nothing is hidden from it: a
              network that is trained to the end is as sure, and honest. If the evaluation has such
              an attack, and only the search breaks them, that attack was short.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks import gradient_search
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Entry
from robustinfo.diagnostics.zero_gradients import vanishing
from robustinfo.judge.convergence import batches_in_mask, convergence_check
from robustinfo.judge.outcome import WEAKER, Outcome
from robustinfo.judge.threats import Threat
from robustinfo.maths.balls import same_ball

QUANTITIES = ("short_search_fraction", "hidden_fraction", "convergence_gain", "restarts_gain")


class FollowUp(NamedTuple):
    """(n,) bool each; None where there was nothing to compare with."""

    only: dict[str, Tensor]  # as in Outcome, without what the search found
    short: Tensor  # only a weaker attack had found them, and the search does, too
    hidden: Tensor | None  # broken by no gradient attack, and the cross-entropy has no slope
    steps: Tensor | None  # robust, until PGD had twice the steps
    restarts: Tensor | None  # robust, until PGD had other starts

    def robust(self, before: Tensor) -> Tensor:
        """Those of the images that were robust which still are: (n,) bool."""
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
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  entries: the attacks that were made, by name.

    starts: like x, what a weaker attack made of an image, where one did: gradients go on from
    there, too, once it is drawn back to where the network is right.
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


def weaker_images(x: Tensor, attacks: Iterable[tuple[Threat, Tensor, Tensor]], norm: str) -> Tensor:
    """Like x: what attacks of the weaker kinds in the norm made of the images that they broke.

    made: (threat, success (n,) bool, x_adv like x) of each attack.
    """
    starts = x.clone()
    for threat, success, x_adv in attacks:
        if threat.norm == norm and threat.role in WEAKER:
            starts[success] = x_adv[success].to(x)
    return starts
