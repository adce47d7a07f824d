"""The least distance at which each image is misclassified: accuracy at every epsilon.

Minimum-norm attacks look for it: FMN (arXiv 2102.12827), FAB (arXiv 1907.02044) and, in l2, DDN
(arXiv 1811.09600); of every image the least distance that any of them found counts, each verified.
It is an upper bound of the true one, so every accuracy that is read off is one, too. A clean image
that is misclassified has distance 0; one for which nothing was found is infinitely far. How near
each attack comes to the best of them is AttackBench's local optimality (maths/optimality.py).

FMN and FAB aim at the likeliest wrong classes, one after another. On 60 images of a LeNet-5
(digits), at five epsilons each, PGD (40 steps, 3 restarts) found one image nearer than FMN and FAB
in linf, by 6 %, and none in l2; it missed 7 and 10 that lie within its epsilon.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal, Self

import torch
from pydantic import Field, PositiveInt, model_validator
from torch import Generator, Tensor, nn

from robustinfo.attacks import ddn, fab, fmn
from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core.batches import correct, memory_batches
from robustinfo.core.measurement import Measurement, exact, fraction, with_interval
from robustinfo.core.settings import ANY, Norm, Outline, Pixels, Settings
from robustinfo.maths.balls import distance
from robustinfo.maths.optimality import local_optimality
from robustinfo.maths.statistics import fraction_interval

OF_IMAGE = "minimal_distance"
OF_ALL = {f"{OF_IMAGE}_lower_quartile": 0.25, f"{OF_IMAGE}_median": 0.5}
OF_ALL |= {f"{OF_IMAGE}_upper_quartile": 0.75}
OF_ATTACK = ("found_fraction", "attack_distance_median", "local_optimality")
# Length of FMN's first step, in l2, by norm. On a LeNet-5 (digits, 30 images, 20 steps, 3 targets)
# distances were 1.02, 1.02 and 1.01 times the least known; with 1 in linf and l1 1.16 and 1.17.
FIRST_STEP = {"linf": 3.0, "l2": 1.0, "l1": 10.0}
Search = Literal["fmn", "fab", "ddn"]


class Config(Settings):
    norm: Norm = "linf"
    # minimum-norm attacks, of which the nearest counts; ddn is of l2 alone
    attacks: Annotated[tuple[Search, ...], Field(strict=False, min_length=1)] = ("fmn", "fab")
    steps: PositiveInt = 50  # of each attack
    targets: PositiveInt = 5  # likeliest wrong classes that FMN and FAB aim at, one after another
    # at which the accuracy is read off
    epsilons: Annotated[tuple[Pixels, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def ddn_is_of_l2(self) -> Self:
        """Its sphere is one of l2."""
        if "ddn" in self.attacks and self.norm != "l2":
            raise ValueError(f"`ddn` looks for the least l2 distance, and `norm` is {self.norm}")
        return self


def outline(config: Config) -> Outline:
    """The names of its rows.

    minimal_distance_lower_quartile, minimal_distance_median, minimal_distance_upper_quartile  of
        the images' least distances; 0: misclassified when clean, infinite: nothing was found
    not_found_fraction  fraction of the images for which no attack found anything
    distance_accuracy  fraction of the images whose least distance is above the level, an epsilon
    found_fraction  fraction of the images that are misclassified, clean or by one attack
    attack_distance_median  median of the distances that one attack found
    local_optimality  how near one attack comes to the best of them, from 0 to 1
    minimal_distance  of the image that is the level; its input is the attack that found it, or
        clean
    """
    whole = (*OF_ALL, "not_found_fraction")
    levels: Outline = [{"quantity": ("distance_accuracy",), "level": config.epsilons}]
    return [
        {"quantity": whole},
        *(levels if config.epsilons else []),
        {"quantity": OF_ATTACK, "input": config.attacks},
        {"quantity": (OF_IMAGE,), "layer": ("image *",), "level": ANY}
        | {"input": ("clean", *config.attacks)},
    ]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """Distances in ``norm``, in pixel values of [0, 1].  x: (n, c, h, w) in [0, 1].  y: (n,)."""
    found = distances(model, x, y, config=config, generator=generator)
    least, nearest = torch.stack([*found.values()]).min(0)
    rows = [_with_interval(name, least, share) for name, share in OF_ALL.items()]
    rows.append(fraction("not_found_fraction", least.isinf()))
    rows += [
        fraction("distance_accuracy", least > epsilon)._replace(level=epsilon)
        for epsilon in config.epsilons
    ]
    for name, one in found.items():
        shown, median, optimality = OF_ATTACK
        of_attack = [
            fraction(shown, one.isfinite()),
            _with_interval(median, one, 0.5),
            Measurement(optimality, local_optimality(one, least)),
        ]
        rows += [row._replace(input=name) for row in of_attack]
    names = [*found]
    for image, (size, which) in enumerate(zip(least.tolist(), nearest.tolist(), strict=True)):
        by = names[which] if size else "clean"
        place: dict[str, Any] = {"layer": f"image {image}", "level": float(image), "input": by}
        rows.append(exact(OF_IMAGE, size, 1)._replace(**place))
    return rows


def distances(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> dict[str, Tensor]:
    """By attack, the distance of each image, (n,) float64: 0 where the clean one is misclassified,
    infinite where the attack found nothing.
    """
    network, right = GradientSafe(model).eval(), correct(model, x, y)
    batches = memory_batches(x[right], y[right], right.nonzero().squeeze(1))
    attacked, found = [batch for batch in batches if len(batch[0])], {}
    for name, search in _searches(config).items():
        found[name] = torch.zeros(len(y), dtype=torch.double, device=x.device)
        for a, b, rows in attacked:
            x_adv, success = search(network, a, b, generator=generator)
            size = distance(x_adv.double() - a.double(), config.norm)
            found[name][rows] = torch.where(success, size, torch.inf)
    return found


def _searches(config: Config) -> dict[str, Callable]:
    """The attacks, by name, with their settings."""
    steps: dict[str, Any] = {"steps": config.steps}
    aimed: dict[str, Any] = {"norm": config.norm, "targets": config.targets}
    known = {
        "fmn": lambda: partial(
            fmn.perturb, config=fmn.Config(**aimed, **steps, step_size=FIRST_STEP[config.norm])
        ),
        "fab": lambda: partial(fab.perturb, config=fab.Config(**aimed, **steps)),
        "ddn": lambda: partial(ddn.perturb, config=ddn.Config(**steps)),
    }
    return {name: known[name]() for name in config.attacks}


def quantile(values: Tensor, share: float) -> float:
    """The least of the values, (n,), that a share of them does not exceed; NaN of none."""
    if not len(values):
        return math.nan
    place = math.ceil(share * len(values)) - 1
    return values.sort().values[min(max(place, 0), len(values) - 1)].item()


def _with_interval(name: str, values: Tensor, share: float) -> Measurement:
    """A quantile, with the quantiles of the ends of Wilson's interval of its share."""
    n = len(values)
    ends = (quantile(values, end) for end in fraction_interval(share * n, n))
    return with_interval(name, quantile(values, share), *ends)._replace(n=n)
