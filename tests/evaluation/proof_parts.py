"""The parts of the proof: the names of their networks by protocol, and how one is judged."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.honest.registry import BY_NAME as HONEST
from benchmarks.honest_verdicts import judged as judged_honest
from benchmarks.honest_verdicts import told
from robustinfo.core.measurement import Measurement
from robustinfo.evaluation.sizes import BY_NAME, Size
from robustinfo.evaluation.threats import Ball
from robustinfo.evaluation.verdict import Verdict, judge
from tests.evaluation import soundness
from tests.evaluation.defects import DEFECTS, GROUPS, PLANTED, judged, judging
from tests.evaluation.networks import honest, is_prepared

CLASSES = 10
IN_L1 = 26.0  # epsilon; of 12, half of the plain twin's images withstand the smallest protocol
# Above ``medium`` a piece takes hours: these alone, one of each way to be wrong.
LARGE = ("quantised", "saturated", "winners", "noise", "few_steps", "silent")
# Planted in l1 as well, and attacked as the protocol says.
FRONTS = ("jpeg", "thermometer", "quantised", "detached", "purified")
HONEST_MEDIUM = (
    "digits-lenet_pgd-linf-0.15-0", "digits-lenet_to_the_end-linf-0.1-0",
    "digits-cnn_certified-linf-0.1-0", "digits-fc_sigmoid-linf-0.1-0",
    "digits-fc_lipschitz-linf-0.1-0", "digits-lenet_pgd-l2-1.5-0",
)  # fmt: skip


class Part(NamedTuple):
    """names: by protocol. run: of a name. files: that a name's result depends on, and theirs.
    lacking: what a name needs and is not here, or nothing.
    """

    names: Mapping[str, Sequence[str]]
    run: Callable[[str, Size, Path], dict[str, Any]]
    files: Callable[[str], Sequence[str]]
    lacking: Callable[[str], str] = lambda name: ""


def planted(
    name: str, size: Size, folder: Path, ball: Callable[[Ball], Ball] | None = None
) -> dict[str, Any]:
    """The verdict, whether the check that is made for it saw it, and the verdict without checks.

    ball: instead of the one that the defect is planted in.
    """
    case, defect = honest("digits", "adversarial", 0, max(100, size.images)), DEFECTS[name]
    made = PLANTED[name] if ball is None else PLANTED[name]._replace(ball=ball)
    found = judged(case, made, size=size)
    seen = {one.check.name for one in found.checks if one.result in ("failed", "noted")}
    return {
        "verdict": found.verdict,
        "seen": defect.check in seen,
        "failed": [one.check.name for one in found.checks if one.result == "failed"],
        "without": verdict(found.measurements, but=defect.checks).verdict,
        "images": found.n,
        "clean_accuracy": float(found.clean_accuracy),
        "robust_accuracy": float(found.robust_accuracy),
    }


def verdict(measurements: Iterable[Measurement], but: Sequence[str] = ()) -> Verdict:
    """The verdict on a planted defect, as if the checks ``but`` were not there."""
    return judge([one for one in measurements if one.quantity not in but], CLASSES)


def in_l1(ball: Ball) -> Ball:
    return Ball(norm="l1", epsilon=IN_L1)


def accused(name: str, size: Size, folder: Path) -> dict[str, Any]:
    return told(name, size.name, judged_honest(name, size.name, folder / "networks"))


def not_prepared(name: str) -> str:
    dataset = HONEST[name].dataset
    return "" if is_prepared(dataset) else f"{dataset} is not prepared"


def proved(name: str, size: Size, folder: Path) -> dict[str, Any]:
    return soundness.counted(soundness.PROBLEMS[name](), size)._asdict()


def files_of_defect(name: str) -> list[str]:
    """Of where it is planted, and of how it is judged."""
    group = next(one for one in GROUPS if name in one.PLANTED)
    return [str(Path(one.__file__).relative_to(Path.cwd())) for one in (group, judging)]


EVERY, MOST = tuple(PLANTED), ("tiny", "small", "medium")
PARTS = {
    "soundness": Part(
        dict.fromkeys(BY_NAME, tuple(soundness.PROBLEMS)),
        proved,
        lambda name: ["tests/evaluation/soundness.py"],
    ),
    "defects": Part(
        {size: EVERY if size in MOST else LARGE for size in BY_NAME},
        planted,
        files_of_defect,
    ),
    "l1": Part(
        {"tiny": FRONTS, "small": FRONTS},
        partial(planted, ball=in_l1),
        files_of_defect,
    ),
    "honest": Part(
        {"tiny": tuple(HONEST), "small": tuple(HONEST), "medium": HONEST_MEDIUM},
        accused,
        lambda name: ["benchmarks/honest_verdicts.py"],
        not_prepared,
    ),
}
