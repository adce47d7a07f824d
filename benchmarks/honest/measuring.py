"""What convergence and hidden gradients look like on a network: one row for each path of PGD."""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from benchmarks.honest.kinds import Case
from robustinfo.core.batches import accuracy
from robustinfo.diagnostics import loss_trajectory, zero_gradients
from robustinfo.diagnostics.loss_trajectory import Paths

REACH = 2.5  # epsilons that the steps of a protocol's PGD are long, together
HONEST = {f"{steps} steps": (steps, REACH / steps) for steps in (20, 100)}
# Ended early: so many steps, which together are that part of epsilon long.
EARLY = {
    f"{steps} steps, {part:.0%} of epsilon": (steps, part / steps)
    for steps, part in ((5, 0.1), (3, 0.3), (7, 0.35), (3, 0.4), (5, 0.5), (5, 0.7))
}
SPARED = 0.05  # of all images, at most, are unconverged in an honest network


def rows(case: Case, network: nn.Module, x: Tensor, y: Tensor) -> list[dict]:
    """One for each path. Fractions are of all images."""
    about = {"name": case.name, "group": case.group, "images": len(y)}
    about["clean_accuracy"] = accuracy(network, x, y)
    within = {"norm": case.norm, "epsilon": case.epsilon}
    config = zero_gradients.Config(**within)
    found = zero_gradients.diagnose(network, x, y, config=config, generator=_drawn())
    about |= {one.quantity: one.value for one in found}
    found = []
    for path, (steps, part) in (HONEST | EARLY).items():
        numbers = within | {"steps": steps, "step_size": part * case.epsilon}
        found.append(about | {"path": path} | _climbed(numbers, network, x, y))
    return found


def _climbed(numbers: dict, network: nn.Module, x: Tensor, y: Tensor) -> dict:
    found = loss_trajectory.paths(
        network, x, y, config=loss_trajectory.Config(**numbers), generator=_drawn()
    )
    left = found.unbroken & found.rises
    return {
        "standing": int(found.unbroken.sum()) / len(y),
        "never_rises_fraction": int((~found.rises & found.varies).sum()) / len(y),
        "constant_fraction": int((~found.varies).sum()) / len(y),
        "unconverged_fraction": int((found.remaining[left] > loss_trajectory.OPEN_RATIO).sum())
        / len(y),
        "open_needed": _needed(found.remaining[left], len(y)),
        "open_needed_cross_entropy": _needed(of_cross_entropy(found)[left], len(y)),
    }


def of_cross_entropy(found: Paths) -> Tensor:
    """What is left of the cross-entropy itself, as a part of what was gained of it."""
    gained = F.softplus(found.best) - F.softplus(found.start)
    return found.stationarity_gap * found.best.sigmoid() / gained


def _needed(values: Tensor, images: int) -> float:
    """The least threshold that at most SPARED of all images exceed."""
    spared = int(SPARED * images)
    return 0.0 if len(values) <= spared else values.sort(descending=True).values[spared].item()


def _drawn() -> Generator:
    return torch.Generator().manual_seed(0)
