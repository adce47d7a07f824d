"""What attacks cost, beside foolbox's and pyautoattack's.

    python -m benchmarks.attack_speed [--rounds 3] [--autoattacks 1] [--only NAME ...]
                                      [--device cpu] [--out FOLDER]

On two networks: LeNet-5, and a ResNet-18 that a little adversarial training has made robust by
half; on a CPU, one thread, 8 filters wide, on 50 test images of MNIST; on a GPU 64 wide, on 128 of
CIFAR-10; from the prepared data (ROBUSTINFO_DATA or ``data``). The loops take turns, so that
whatever else the machine does meets all of them, and on a CPU the time is the processor's.

Ours and theirs have to find the same. PGD (20 steps, five restarts): those fall, image by image,
who fall at any step of foolbox's own runs from the same starts. AutoAttack: those who fall under
the official one from the same seed; in bfloat16 they among others. Square: those who fall to the
package's with the same squares. DeepFool, Carlini and Wagner: the same, as far from x within 1 %.
HopSkipJump draws in another order: all that fall to foolbox's from the same starts, and in the
median no farther from x. What is not equal stands in the details, and ends in an error.

A row's limit is its ratio over the share of our time that the network's own passes take: the ratio,
were all else free. It is counted on a CPU, where a pass ends before what follows it begins.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from benchmarks._attack_races import RACES, Falls, Race
from benchmarks._attacked_networks import HALF, half_robust, plain
from benchmarks._network_share import Passes, passes
from benchmarks._timing import Row, in_turn, keep, row, short

ONLY_HALF = ("pgd", "autoattack")  # which are run on the network of which half stands alone


def run(race: Race, rounds: int) -> tuple[list[Row], dict, list[str]]:
    """The rows, what else there is to know of them, and what is not equal."""
    found: dict[str, Falls] = {}
    seen: dict[str, Passes] = {}
    device = race.on.x.device

    def noted(name: str, loop: Callable[[], Falls]) -> None:
        found[name] = loop()

    def watched(name: str, loop: Callable[[], Falls]) -> None:
        seen[name] = passes(race.on.model, partial(noted, name, loop), device)

    own = watched if device.type == "cpu" else noted
    loops = {name: partial(noted, name, loop) for name, loop in race.theirs.items()}
    loops |= {name: partial(own, name, loop) for name, loop in race.ours.items()}
    times = in_turn(loops, rounds, device, warm_up=rounds > 1)

    what = f"{race.what}, {race.on.name}, {len(race.on.y)} images"
    rows, wrong = [], []
    for name in race.ours:
        kernel = f"{what}, {name}" if name else what
        for peer in race.theirs:
            aim: dict[str, Any] = {"goal": race.goal}
            one = row(kernel, times[name], peer, times[peer], unit="s", scale=1, **aim)
            rows.append(one._replace(**_limit(one, seen.get(name))))
            if not race.equal(name, found[name], found[peer]):
                wrong.append(f"{kernel} and {peer} do not find the same")
    right = race.on.right
    about = {"rounds": rounds, "correct when clean": int(right.sum())}
    about["images that stand"] = {
        name: int((right & ~(one if one.dtype == torch.bool else one.isfinite())).sum())
        for name, one in found.items()
    }
    about["passes of ours"] = {name: one._asdict() for name, one in seen.items()}
    return rows, {what: about}, wrong


def _limit(one: Row, own: Passes | None) -> dict[str, Any]:
    if own is None:
        return {}
    why = f"the network's passes take {own.share:.0%} of our time"
    return {"limit": short(one.ratio[0] / own.share), "why": why}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--autoattacks", type=int, default=1, help="rounds of AutoAttack")
    parser.add_argument("--only", nargs="+", choices=RACES, default=list(RACES))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    device = torch.device(given.device)
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False
    half = HALF[device.type]
    rows: list[Row] = []
    details: dict[str, Any] = {name: version(name) for name in ("foolbox", "pyautoattack")}
    wrong = []
    for on in (half_robust(half, device), plain(half, device)):
        names = [one for one in given.only if on.epsilon == half.epsilon or one not in ONLY_HALF]
        for name in names:
            rounds = given.autoattacks if name == "autoattack" else given.rounds
            more, about, unequal = run(RACES[name](on), rounds)
            rows, details, wrong = rows + more, details | about, wrong + unequal
    keep(rows, details | {"network": half.model_dump(), "not equal": wrong}, device, given.out)
    if wrong:
        sys.exit(f"error: {'; '.join(wrong)}")


if __name__ == "__main__":
    main()
