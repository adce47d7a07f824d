"""What a judged network is put through: attacks and diagnostics, in five sizes.

Each size asks everything that the smaller ones ask, more thoroughly and of more images. The largest
that fits into a budget is found from the time of one batch. What an image costs in passes is known
before, and an upper bound, as images leave an attack once they have fallen; what a pass takes is
measured, and other work on the machine may lengthen it.
"""

import math
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from robustinfo.attacks._climbable import Climbable
from robustinfo.faults import Fault
from robustinfo.settings import Settings

Entries = dict[str, dict[str, Any]]
CURVE_STEPS, PATH = 20, 100  # steps
RUNS = 5  # that are timed
OVERHEAD = 1e-3  # seconds of a step, however few the images
REACH = 2.5  # epsilons that all steps together are long


class Size(NamedTuple):
    name: str
    images: int
    steps: int
    restarts: int
    queries: int  # of Square
    walk: int  # steps of HopSkipJump; 0: none
    draws: int  # of random search
    planted: int  # images of the planted-example test
    ensemble: bool  # AutoAttack


SIZES = (
    Size("glance", 64, 20, 1, 200, 0, 50, 16, False),
    Size("short", 100, 40, 2, 1000, 10, 200, 32, False),
    Size("middle", 200, 50, 3, 2000, 20, 1000, 32, True),
    Size("long", 500, 100, 5, 5000, 30, 1000, 64, True),
    Size("whole", 1000, 100, 10, 5000, 50, 10_000, 64, True),
)


def place(size: Size) -> str:
    """Which of the sizes it is: ``2 of 5``."""
    return f"{SIZES.index(size) + 1} of {len(SIZES)}"


class Cost(NamedTuple):
    """What the time depends on beside the protocol and the network."""

    images: int  # that are there
    networks: int = 1  # 2 with a twin
    term: bool = False  # whether there is an adaptive attack


class Ball(Settings):
    """A threat model: every perturbation whose norm is at most epsilon."""

    norm: str
    epsilon: float

    def huge(self, pixels: int) -> float:
        """The epsilon at which an attack may paint any image."""
        return 1.0 if self.norm == "linf" else math.sqrt(pixels)


def attacks(size: Size, ball: Ball) -> Entries:
    """Entries of attacks/, by name; all within the ball."""
    within = {"norm": ball.norm, "epsilon": ball.epsilon}
    climb = _climb(size, ball)
    found: Entries = {
        "fgsm": {"method": "fgsm", **within},
        "pgd": {"method": "pgd", **climb, "until": "fooled"},
        "margin_pgd": {"method": "pgd", **climb, "objective": "margin", "until": "fooled"},
        "noise": {"method": "additive_noise", **within},
        "random_search": {"method": "random_search", **within, "draws": size.draws},
        "square": {"method": "square", **within, "queries": size.queries},
    }
    if size.walk:
        found["hop_skip_jump"] = {"method": "hop_skip_jump", **within, "steps": size.walk}
    if ball.norm == "l2":
        found["carlini_wagner"] = {
            "method": "carlini_wagner", "epsilon": ball.epsilon, "binary_search_steps": 4,
            "steps": size.steps, "step_size": 0.1, "initial_const": 1.0,
        }  # fmt: skip
    if size.ensemble:
        found["autoattack"] = {"method": "autoattack", **within, "until": "fooled"}
    return found


def _climb(size: Size, ball: Ball) -> dict[str, Any]:
    ascent = {
        "step_size": REACH * ball.epsilon / size.steps,
        "steps": size.steps,
        "restarts": size.restarts,
    }
    return {"norm": ball.norm, "epsilon": ball.epsilon} | ascent


def adaptive(size: Size, ball: Ball) -> Entries:
    """PGD on the defence's own loss term, for defences that have one."""
    return {"adaptive": {"method": "adaptive", **_climb(size, ball), "term_weight": 1.0}}


def diagnostics(size: Size, ball: Ball, pixels: int) -> Entries:
    """Entries of diagnostics/, by name. pixels: values of one image."""
    made = attacks(size, ball)
    within = {"norm": ball.norm, "epsilon": ball.epsilon}
    steps = max(PATH, size.steps)  # after 40, one in six still rises of a network that is robust
    planted = {"method": "planted", "images": size.planted}
    levels = [share * ball.epsilon for share in (0.0, 0.25, 0.5, 1.0, 2.0)]
    huge, far = ball.huge(pixels), REACH * ball.epsilon
    return {
        "outputs": {"method": "outputs"},
        "zero_gradients": {"method": "zero_gradients"},
        "ascent": {"method": "ascent", **within, "steps": steps, "step_size": far / steps},
        "doubled": {"method": "doubled", **_climb(size, ball)},
        "planted_pgd": planted | {"adversary": made["pgd"]},
        "planted_margin": planted | {"adversary": made["margin_pgd"]},
        "epsilon_curve": {
            "method": "attack_accuracy", "norm": ball.norm, "steps": CURVE_STEPS,
            "sweep": {"epsilon": [level for level in levels if level < huge] + [huge]},
        },
    }  # fmt: skip


def passes(size: Size, ball: Ball, *, term: bool = False) -> tuple[float, float]:
    """At most so many gradients, and forward passes alone, per image of the protocol.

    term: whether the adaptive attack is made, too.
    """
    climb = size.restarts * (size.steps + 1)
    gradients = 2 * climb + 5 * climb + max(PATH, size.steps) + 6 * CURVE_STEPS + 20
    gradients += 2 * climb * size.planted / size.images
    queries = size.draws + size.queries + 120 + 2 * 410 * size.planted / size.images
    # HopSkipJump asks 100 sqrt(t) labels at step t, and some more to begin and to bisect.
    queries += sum(100 * math.sqrt(t + 1) + 40 for t in range(size.walk)) + 100
    if term:
        gradients += climb
    if ball.norm == "l2":
        gradients += 4 * size.steps
    if size.ensemble:
        gradients += 100 + 9 * 100 + 2 * 9 * 100  # APGD, its targets, and FAB's
        queries += 5000 + 1000  # Square, and what the others look at
    return gradients, queries


def seconds_each(model: nn.Module, x: Tensor) -> tuple[float, float]:
    """What an image of the batch x costs, with its gradient and without; of frozen weights."""

    network = Climbable(model).eval()

    def gradient() -> None:
        at = x.clone().requires_grad_()
        torch.autograd.grad(network(at).sum(), at)

    def query() -> None:
        with torch.no_grad():
            network(x)

    return _seconds(gradient, x) / len(x), _seconds(query, x) / len(x)


def _seconds(once: Callable[[], None], x: Tensor) -> float:
    """The median of some runs: the first is slow, and others may be disturbed."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        once()
        if x.is_cuda:
            torch.cuda.synchronize(x.device)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def estimates(each: tuple[float, float], ball: Ball, cost: Cost) -> Iterator[tuple[Size, float]]:
    """(size, seconds) of every size, the smallest first."""
    for size in SIZES:
        gradients, queries = passes(size, ball, term=cost.term)
        images = min(size.images, cost.images)
        seconds = images * (gradients * each[0] + queries * each[1])
        yield size, cost.networks * (seconds + OVERHEAD * (gradients + queries))


def largest(each: tuple[float, float], ball: Ball, budget: float, cost: Cost) -> tuple[Size, float]:
    """The largest size that fits into ``budget`` seconds, and its estimate.

    Raises Fault if none does.
    """
    all_sizes = list(estimates(each, ball, cost))
    fitting = [(size, seconds) for size, seconds in all_sizes if seconds <= budget]
    if not fitting:
        size, least = all_sizes[0]
        raise Fault(
            f"no protocol fits into {budget:.0f} s: the smallest, {size.name}, takes about "
            f"{least:.0f} s here; try again with --budget {math.ceil(1.2 * least)}s"
        )
    return fitting[-1]
