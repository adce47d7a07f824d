"""Sixteen ways in which an evaluation deceives, planted on purpose, and the check that sees each.

A defect is a network that cannot be attacked as it is, or an attack that does not do what it says.
All stand on one adversarially trained LeNet-5 on the digits, with a plain one as its twin, whose
honest evaluation raises nothing.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks import adaptive, pgd
from robustinfo.distortions import jpeg
from robustinfo.evaluation.attacks import Attack, attacks_of
from robustinfo.evaluation.evaluate import evaluate
from robustinfo.evaluation.protocol import SIZES, Ball, Size, attacks, diagnostics
from robustinfo.evaluation.result import Result
from robustinfo.evaluation.threats import Threat
from tests.evaluation.networks import Honest, honest, trained

TINY = SIZES[0]
MEAN, STD = 0.13, 0.31  # of MNIST's pixels: what a normalised network is given


class Defect(NamedTuple):
    """What is wrong, the check that must see it, and what it makes of an honest evaluation."""

    text: str
    check: str
    network: Callable[[nn.Module], nn.Module] = lambda model: model
    attacks: Callable[[Ball], dict[str, Attack]] | None = None
    ball: Callable[[Ball], Ball] = lambda ball: ball


def judged(case: Honest, defect: Defect | None = None, *, size: Size = TINY) -> Result:
    """The verdict on the network of a case, with a plain twin, honestly or with the defect."""
    twin = honest(case.dataset, "standard", 7).model
    ball = Ball(norm="linf", epsilon=case.epsilon)
    model = case.model
    if defect is not None:
        ball, model = defect.ball(ball), defect.network(model)
    made = attacks_of({name: part.entry for name, part in attacks(size, ball).items()})
    parts = diagnostics(size, ball, case.x[0].numel())
    if defect is not None and defect.attacks is not None:
        made = defect.attacks(ball)
    return evaluate(
        model,
        case.x,
        case.y,
        classes=10,
        ball=ball,
        attacks=made,
        diagnostics={name: part.entry for name, part in parts.items()},
        twin=twin,
        progress=lambda text: None,
    )


class Softmax(nn.Sequential):
    """Probabilities instead of logits."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model, nn.Softmax(1))


class LogSoftmax(nn.Sequential):
    """Log-probabilities, whose gradients vanish nowhere: harmless, and worth a note."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model, nn.LogSoftmax(1))


class Before(nn.Module):
    """A network that sees its images changed."""

    def __init__(self, change: Callable[[Tensor], Tensor], model: nn.Module) -> None:
        super().__init__()
        self.change, self.model = change, model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(self.change(x))


def before(change: Callable[[Tensor], Tensor]) -> Callable[[nn.Module], nn.Module]:
    return lambda model: Before(change, model)


def sixteen_greys(x: Tensor) -> Tensor:
    return (15 * x).round() / 15


def noisy(x: Tensor) -> Tensor:
    return x + 0.1 * torch.randn_like(x)


def as_a_file(x: Tensor) -> Tensor:
    return jpeg.distort(x, config=jpeg.Config(quality=50), generator=Generator())


class AlwaysTraining(nn.Module):
    """BatchNorm that takes its statistics from the batch whatever mode it is in."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.norm, self.model = nn.BatchNorm2d(1), model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(MEAN + STD * self.norm.train()(x))


class Winners(nn.Module):
    """k-winners-take-all (Xiao et al. 2020, arXiv 1905.10510): all but the largest become 0."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, t: Tensor) -> Tensor:
        flat = t.flatten(1)
        k = max(1, int(self.share * flat.shape[1]))
        least = flat.topk(k, dim=1).values[:, -1:]
        return (flat * (flat >= least)).view_as(t)


@cache
def of_winners() -> nn.Module:
    """A plainly trained LeNet-5 whose activations are k-winners-take-all."""
    return trained("digits", "standard", 0, lambda: Winners(0.1))


def out_of_bounds(model: nn.Module, x: Tensor, y: Tensor, *, generator: Generator) -> tuple:
    """FGSM in bounds of [-1, 1]."""
    at = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(F.cross_entropy(model(at), y, reduction="sum"), at)
    x_adv = (x + 0.15 * slope.sign()).clamp(-1, 1)
    return x_adv, model(x_adv).argmax(1) != y


def on_normalised_inputs(model: nn.Module, x: Tensor, y: Tensor, *, generator: Generator) -> tuple:
    """PGD on (x - mean) / std, cut to [0, 1] there."""
    normalised = Before(lambda z: MEAN + STD * z, model)
    config = pgd.Config(epsilon=0.15, step_size=0.02, steps=20)
    z = ((x - MEAN) / STD).clamp(0, 1)
    z_adv, success = pgd.perturb(normalised, z, y, config=config, generator=generator)
    return MEAN + STD * z_adv, success


def black_images(model: nn.Module, x: Tensor, y: Tensor, *, generator: Generator) -> tuple:
    """What fails comes back black, and black images are misclassified."""
    config = pgd.Config(epsilon=0.15, step_size=0.02, steps=20)
    x_adv, success = pgd.perturb(model, x, y, config=config, generator=generator)
    x_adv = torch.where(success[:, None, None, None], x_adv, torch.zeros_like(x))
    return x_adv, model(x_adv).argmax(1) != y


def clean_errors(model: nn.Module, x: Tensor, y: Tensor, *, generator: Generator) -> tuple:
    """Images that were wrong from the start are successes."""
    config = pgd.Config(epsilon=0.15, step_size=0.02, steps=20)
    x_adv, _ = pgd.perturb(model, x, y, config=config, generator=generator)
    return x_adv, model(x_adv).argmax(1) != y


def transferred(model: nn.Module, x: Tensor, y: Tensor, *, generator: Generator) -> tuple:
    """Images made against another network are all that is tried."""
    other = honest("digits", "standard", 3).model
    config = pgd.Config(epsilon=0.15, step_size=0.02, steps=20)
    x_adv, _ = pgd.perturb(other, x, y, config=config, generator=generator)
    return x_adv, (model(x).argmax(1) == y) & (model(x_adv).argmax(1) != y)


def only(perturb: Callable, role: str = "iterated") -> Callable[[Ball], dict[str, Attack]]:
    return lambda ball: {"own": Attack(Threat(role, "linf", 0.15), perturb, {})}


def lost_in_its_term(model: nn.Module, x: Tensor, y: Tensor, *, generator: Generator) -> tuple:
    """CE + 1.0 T, where T of the defence is a thousand times as steep: the loss is not climbed."""
    config = adaptive.Config(**OWN_TERM, weights=[1.0], objectives=["cross_entropy"])

    def term(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        logits = model(x)
        return logits, 1000 * (x.flatten(1) @ torch.linspace(-1, 1, x[0].numel())).sum()

    def whole(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        logits, value = term(x, y)
        return logits, F.cross_entropy(logits, y, reduction="sum") + value

    return adaptive.perturb(model, x, y, config=config, generator=generator, term=whole)


OWN_TERM = {"epsilon": 0.15, "step_size": 0.02, "steps": 20}


def beside_pgd(ball: Ball) -> dict[str, Attack]:
    own = Threat("adaptive", "linf", 0.15, "adaptive", "", (20, 1))
    made = attacks_of({"pgd": {"method": "pgd", **OWN_TERM}})
    return made | {"adaptive": Attack(own, lost_in_its_term, {})}


FEW = {"norm": "linf", "epsilon": 0.15, "step_size": 0.02, "steps": 3}


def small_steps(ball: Ball) -> dict[str, Attack]:
    """PGD whose steps are too small for a loss of many ridges, beside a black box."""
    within = {"norm": ball.norm, "epsilon": ball.epsilon}
    pgd_20 = {"method": "pgd", **within, "step_size": ball.epsilon / 20, "steps": 20}
    return attacks_of(
        {
            "pgd": pgd_20,
            "margin_pgd": pgd_20 | {"objective": "margin"},
            "square": {"method": "square", **within, "queries": 200},
        }
    )


def few_steps(ball: Ball) -> dict[str, Attack]:
    return attacks_of({"pgd": {"method": "pgd", **FEW}})


DEFECTS = {
    "softmax": Defect("softmax in the network", "probabilities_fraction", Softmax),
    "quantised": Defect(
        "input rounded to 16 greys", "flat_fraction", before(sixteen_greys)
    ),
    "detached": Defect(
        "input detached from the graph", "no_gradient_fraction", before(Tensor.detach)
    ),
    "winners": Defect(
        "k-winners-take-all and small steps", "short_search_fraction",
        lambda model: of_winners(), small_steps,
    ),
    "noise": Defect("noise added to every input", "forwards_differ_fraction", before(noisy)),
    "batch_norm": Defect(
        "BatchNorm in training mode", "batch_dependent_fraction", AlwaysTraining
    ),
    "bounds": Defect("attack in [-1, 1]", "infeasible_fraction", attacks=only(out_of_bounds)),
    "normalised": Defect(
        "attack on normalised inputs", "infeasible_fraction", attacks=only(on_normalised_inputs)
    ),
    "few_steps": Defect(
        "three steps that end early", "convergence_gain", attacks=few_steps,
    ),
    "unit": Defect(
        "epsilon divided by 255 once more", "twin_robust_accuracy",
        ball=lambda ball: Ball(norm=ball.norm, epsilon=ball.epsilon / 255),
    ),
    "jpeg": Defect(
        "JPEG in front, without a gradient", "no_gradient_fraction", before(as_a_file)
    ),
    "black": Defect(
        "black images are successes", "infeasible_fraction", attacks=only(black_images)
    ),
    "clean_errors": Defect(
        "clean errors are successes", "miscounted_fraction", attacks=only(clean_errors)
    ),
    "log_softmax": Defect(
        "log-softmax before the margin loss", "log_probabilities_fraction", LogSoftmax
    ),
    "fixed_weight": Defect(
        "adaptive attack that its term leads away", "adaptive_shortfall", attacks=beside_pgd
    ),
    "transfer_only": Defect(
        "transferred images alone", "gradient_attacks", attacks=only(transferred, "black_box")
    ),
}  # fmt: skip
