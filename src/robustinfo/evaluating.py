"""One network, put through attacks and diagnostics, and judged: in memory, from images to verdict.

The pipeline does the same in stages, whose results are files. Here and there attacks are audited by
``auditing.audited``, combined by ``worst_case.shares``, what was said becomes evidence in
``evidence.evidence``, and ``judging.judge`` judges it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from robustinfo import catalogue
from robustinfo.attacks._climbable import Climbable
from robustinfo.auditing import Attack, Note, attacked
from robustinfo.batches import accuracy, correct
from robustinfo.evidence import Said, evidence
from robustinfo.judging import Check, Thresholds, judge
from robustinfo.maths.balls import feasible
from robustinfo.maths.intervals import gain, wilson
from robustinfo.worst_case import shares

# (network, x, y, generator=) -> list[Finding]
Diagnose = Callable[..., list]


class Asked(NamedTuple):
    """A diagnostic and the level of its sweep, if it is swept."""

    entry: str
    level: float | None
    diagnose: Diagnose


class Evaluation(NamedTuple):
    """The verdict on one network and what it rests on."""

    verdict: str
    checks: list[Check]
    clean_accuracy: float
    robust_accuracy: float
    interval: tuple[float, float]  # Wilson's
    n: int
    accuracies: dict[str, float]  # what each attack leaves by itself
    broken: dict[str, list[int]]  # the images that each attack broke, by their place in x
    failed: dict[str, str]  # the attacks that could not be made, and why


def diagnostics_of(entries: Mapping[str, Mapping]) -> Iterator[Asked]:
    """The diagnostics of entries, each at every level of its sweep."""
    for name, entry in entries.items():
        for level, params in catalogue.sweep(entry):
            yield Asked(name, level, catalogue.get("diagnostics", params))


def evaluate(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    classes: int,
    attacks: Mapping[str, Attack],
    diagnostics: Iterable[Asked],
    thresholds: Thresholds,
    generator: Generator,
    twin: nn.Module | None = None,
    note: Note = print,
) -> Evaluation:
    """The verdict on a network in eval mode. x: (n, c, h, w) in [0, 1].  y: (n,) labels.

    twin: the same network without the defence; it is attacked alike, and what broke it is tried on
    the network. note: is told what is being done.
    """
    said = [Said("clean", "accuracy", None, accuracy(model, x, y))]
    for entry, level, diagnose in diagnostics:
        note(entry if level is None else f"{entry} at {level:.3g}")
        for one in diagnose(model, x, y, generator=generator):
            said.append(Said(entry, one.quantity, one.level if level is None else level, one.value))
    model = Climbable(model).eval()
    right = correct(model, x, y)
    own = attacked(model, x, y, attacks, generator, note)
    success = dict(own.success)
    threats = {name: attacks[name].threat for name in own.success}
    if twin is not None:
        # Not those that climb the defence's own term: the twin has none.
        plain = {name: one for name, one in attacks.items() if one.threat.role != "adaptive"}
        twin = Climbable(twin).eval()
        other = attacked(twin, x, y, plain, generator, lambda name: note(f"{name} on the twin"))
        for name, x_adv in other.x_adv.items():
            threats[f"{name} from the twin"] = plain[name].threat._replace(role="black_box")
            success[f"{name} from the twin"] = right & ~correct(model, x_adv, y)
    values, stands = shares(success, threats, right)
    said += [Said("attacks", name, None, value) for name, (value, _) in values.items()]
    infeasible = [~feasible(x, own.x_adv[name], *threats[name][1:]) for name in own.success]
    said.append(Said("attacks", "infeasible_share", None, _share(torch.stack(infeasible).any(0))))
    said += [
        Said(name, "miscounted_share", None, _share(wrong))
        for name, wrong in own.miscounted.items()
    ]
    asked = evidence(said, thresholds) | {"classes": classes, "n": len(y)}
    robust = _share(stands)
    asked |= {"robust_accuracy": robust, "robust_low": wilson(robust, len(y))[0]}
    if twin is not None:
        left = correct(twin, x, y) & ~torch.stack([*other.success.values()]).any(0)
        asked["twin_robust_accuracy"] = _share(left)
        won, lost = int((stands & ~left).sum()), int((left & ~stands).sum())
        asked["gain_over_twin"] = gain(won, lost, len(y))[0]
    verdict, checks = judge(asked, thresholds)
    return Evaluation(
        verdict,
        checks,
        asked["clean_accuracy"],
        robust,
        wilson(robust, len(y)),
        len(y),
        {name: _share(right & ~broken) for name, broken in success.items()},
        {name: broken.nonzero().flatten().tolist() for name, broken in success.items()},
        own.failed,
    )


def _share(mask: Tensor) -> float:
    return mask.double().mean().item()
