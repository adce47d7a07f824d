"""Binary linear probes on a network's features, in place of its last layer.

The features are the inputs of the last linear layer, where there is one, else the logits. All
layers before it, and their gradients, stay as they are.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from robustinfo.core.batches import EVALUATION_BATCH
from robustinfo.core.settings import Norm, order

RIDGE = 1e-2  # of the largest singular value: else directions of hardly any variance would decide
ROUNDING = 1e-6  # of the features: a smaller variation counts as none
CLASSES = 4  # AutoAttack needs four
UNUSED_LOGIT_GAP = 100.0  # by which the two unused logits lie below the others


class LinearProbe(NamedTuple):
    """Logits (-s, s), s = (features - centre) weight - threshold: class 1 where s > 0."""

    centre: Tensor  # (d,)
    weight: Tensor  # (d,)
    threshold: Tensor  # ()


class Binary(nn.Module):
    """The network with one probe per image; x gets the probe of the nearest of these images.

    Images (n, c, h, w) in [0, 1] -> (n, 4) logits, of which the last two are never the largest.
    """

    images: Tensor  # (m, chw)
    centre: Tensor  # (m, d)
    weight: Tensor  # (m, d)
    threshold: Tensor  # (m,)

    def __init__(
        self,
        network: nn.Module,
        layer: str | None,
        images: Tensor,
        probes: Sequence[LinearProbe],
        norm: Norm,
    ) -> None:
        """images: (m, c, h, w), one for each probe.  norm: of the distance to them."""
        super().__init__()
        self.network, self.layer = network, layer
        self.order = order(norm)
        self.register_buffer("images", images.flatten(1))
        for name, values in zip(LinearProbe._fields, zip(*probes, strict=True), strict=True):
            self.register_buffer(name, torch.stack(values))

    def forward(self, x: Tensor) -> Tensor:
        """x: (n, c, h, w) in [0, 1] -> (n, 4) logits."""
        exact = {"compute_mode": "donot_use_mm_for_euclid_dist"}
        nearest = torch.cdist(x.detach().flatten(1), self.images, self.order, **exact).argmin(1)
        features = features_and_logits(self.network, self.layer, x)[0].to(self.weight)
        score = ((features - self.centre[nearest]) * self.weight[nearest]).sum(1) - self.threshold[
            nearest
        ]
        unused = (-score.abs() - UNUSED_LOGIT_GAP).detach()
        return torch.stack([-score, score, *[unused] * (CLASSES - 2)], 1)


def last_linear(model: nn.Module, x: Tensor) -> str | None:
    """The name of the last linear layer that runs on inputs (n, d); None: there is none."""
    names: dict[nn.Module, str] = {
        part: name for name, part in model.named_modules() if isinstance(part, nn.Linear)
    }
    ran: list[str] = []

    def record(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if inputs and inputs[0].ndim == 2 and len(inputs[0]) == len(x):
            ran.append(names[layer])

    hooks = [layer.register_forward_pre_hook(record) for layer in names]
    try:
        model(x.clone())
    finally:
        for hook in hooks:
            hook.remove()
    return ran[-1] if ran else None


def features_and_logits(model: nn.Module, layer: str | None, x: Tensor) -> tuple[Tensor, Tensor]:
    """Features (n, d) and logits (n, K)."""
    if layer is None:
        logits = model(x)
        return logits, logits
    inputs: list[Tensor] = []
    # By its name: in a copy of the network it is another layer.
    hook = model.get_submodule(layer).register_forward_pre_hook(lambda _, x: inputs.append(x[0]))
    try:
        logits = model(x)
    finally:
        hook.remove()
    return inputs[-1][: len(x)], logits  # a guard may pass one image as two


@torch.no_grad()
def fit_probe(
    model: nn.Module, layer: str | None, inner: Tensor, outer: Tensor, *, closeness: float
) -> LinearProbe | None:
    """The probe that separates ``outer``, (1, c, h, w), from all of ``inner``, (m, c, h, w).

    None if least squares find no such hyperplane. closeness: the position of the threshold between
    the largest score of ``inner``, 0, and that of ``outer``, 1. Its logits have the range of the
    network's.
    """
    parts = torch.cat([outer, inner]).split(EVALUATION_BATCH)
    read = [features_and_logits(model, layer, part.clone()) for part in parts]
    features, logits = (torch.cat(some).double() for some in zip(*read, strict=True))
    centre = features.mean(0)
    centred = features - centre
    vary = centred.norm(dim=1).amax() > ROUNDING * features.norm(dim=1).amax()
    if not (vary and features.isfinite().all() and logits.isfinite().all()):
        return None
    weight = _least_squares_direction(centred)
    scores = centred @ weight
    outer_score, inner_score = scores[0], scores[1:].max()
    if not outer_score > inner_score:
        return None
    threshold = inner_score + closeness * (outer_score - inner_score)
    span = 2 * (scores - threshold).abs().max()
    scale = (logits.max() - logits.min()) / span
    return LinearProbe(*(one.to(outer) for one in (centre, scale * weight, scale * threshold)))


def _least_squares_direction(points: Tensor) -> Tensor:
    """The direction (d,) that separates the first of the points, (n, d), from all others.

    By ridge-regularised least squares, which is Fisher's linear discriminant.
    """
    u, s, vt = torch.linalg.svd(points - points.mean(0), full_matrices=False)
    # u[0]: the target (1, 0, ..., 0) in that basis.
    return vt.T @ (s / (s**2 + (RIDGE * s[0]) ** 2) * u[0])
