"""Whether a network's outputs are as attacks assume: finite, deterministic logits with a gradient.

Athalye et al. (2018), arXiv 1802.00420 (shattered and stochastic gradients), Carlini et al. (2019),
arXiv 1902.06705, section 5, and Tramer et al. (2020), arXiv 2002.08347: evaluations fail where the
network gives probabilities, is random, or has no gradient. All of it can be seen without an attack,
in eval mode and float32; ``outline`` lists the checks.

Known bias: logits may look like probabilities, or like their logarithms, by chance. That takes a
hit within 1e-4 and happens to single images, where a softmax does it to all: ask for a share near
1. Logarithms with one class so likely that it gives 0 cannot be told from logits that were shifted
to a maximum of 0. Attributes that are neither weights nor buffers are not checked.
"""

from functools import partial

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks._frozen import frozen, seeded
from robustinfo.attacks._gradient_safe import logits_or_detached
from robustinfo.core.batches import memory_batches
from robustinfo.core.measurement import Measurement, exact, fraction
from robustinfo.core.settings import Outline, Settings
from robustinfo.diagnostics._outputs import log_probabilities, outputs, probabilities
from robustinfo.diagnostics._preserve_state import preserve_state
from robustinfo.diagnostics._state_dependence import changes_that_matter, snapshot, tensors

REPEAT_TOLERANCE = 1e-5  # of the largest logit: what the same batch may differ by, twice in a row
BATCH_TOLERANCE = (
    1e-2  # the same for other batches: their size decides on algorithms, on GPUs on TF32
)
FORWARDS = 5  # passes of the same images that are compared
PROBE_BATCH = 32  # images on which dependence on the state is tested
SIMILAR_BATCH = 4  # images of a batch of like brightness, each of them twice


class Config(Settings):
    pass


def outline(config: Config) -> Outline:
    """The names of its rows.

    nonfinite_fraction  an output that is NaN or infinite, in any forward
    probabilities_fraction  outputs of at least 0 that sum to 1: a softmax, where attacks on
        the margin expect logits
    log_probabilities_fraction  outputs of at most 0 whose exponentials do: a log-softmax
    forwards_differ_fraction  forwards of the same batch that differ: a single one proves
        nothing
    batch_dependent_fraction  other outputs in another batch, as of BatchNorm in training
        mode; only where the forwards themselves agree
    no_gradient_fraction  no gradient of the cross-entropy in x at all, or one with NaN. A
        gradient that is 0 is another question: zero_gradients.py
    weights_changed  the part of the tensors of the state that these forwards changed, and
        that the answers depend on (_state_dependence.py). They are changed back
    """
    kinds = (
        "nonfinite", "probabilities", "log_probabilities", "forwards_differ", "batch_dependent",
        "no_gradient",
    )  # fmt: skip
    return [{"quantity": (*(f"{kind}_fraction" for kind in kinds), "weights_changed")}]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """Fractions of the n images, but the last.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    with preserve_state(model), frozen(model), seeded(x, generator):
        outputs_of = partial(_reproducible_outputs, model, x[:PROBE_BATCH])
        first = snapshot(model, outputs_of)
        runs = torch.stack([outputs(model, x) for _ in range(FORWARDS)])  # (forwards, n, K)
        differ = _differ(runs, REPEAT_TOLERANCE)
        batch_differs = _differ(torch.stack([runs[0], _among_similar(model, x)]), BATCH_TOLERANCE)
        masks = {
            "nonfinite_fraction": ~runs.isfinite().all(2).all(0),
            "probabilities_fraction": probabilities(runs[0]),
            "log_probabilities_fraction": log_probabilities(runs[0]),
            "forwards_differ_fraction": differ,
            "batch_dependent_fraction": batch_differs & ~differ,
            "no_gradient_fraction": _without_gradient(model, x, y),
        }
        tensor_count = max(1, len(tensors(model)))
        changed = changes_that_matter(model, first, outputs_of, _same_outputs)
    measurements = [fraction(name, mask) for name, mask in masks.items()]
    return [*measurements, exact("weights_changed", len(changed) / tensor_count)]


def _reproducible_outputs(model: nn.Module, x: Tensor) -> Tensor:
    """Outputs under a fixed seed, the same again for a network whose noise is torch's."""
    with seeded(x, Generator(x.device).manual_seed(0)):
        return outputs(model, x)


def _same_outputs(a: Tensor, b: Tensor) -> bool:
    return not _differ(torch.stack([a, b]), REPEAT_TOLERANCE).any()


@torch.no_grad()
def _among_similar(model: nn.Module, x: Tensor) -> Tensor:
    """Outputs (n, K), float64, of every image, twice in a small batch of images of like brightness.

    Statistics of such a batch differ from those of a mixed one.
    """
    order = x.flatten(1).mean(1).argsort()
    out = torch.cat(
        [model(x[few].repeat(2, 1, 1, 1))[: len(few)] for few in order.split(SIMILAR_BATCH)]
    )
    return torch.empty_like(out).index_copy_(0, order, out).double()


def _differ(runs: Tensor, tolerance: float) -> Tensor:
    """Whether any of the runs (r, n, K) differs from the first by more than rounding, (n,) bool."""
    size = runs[0].nan_to_num(0.0, 0.0, 0.0).abs().amax(1, keepdim=True)
    within_tolerance = (runs - runs[0]).abs() <= tolerance * size
    equal = within_tolerance | (runs == runs[0]) | (runs.isnan() & runs[0].isnan())
    return ~equal.all(2).all(0)


def _without_gradient(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Whether the cross-entropy has no gradient, or NaN, (n,) bool."""
    parts = memory_batches(x, y)
    return torch.cat([_lacks_gradient(model, a, b) for a, b in parts])


def _lacks_gradient(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    loss = F.cross_entropy(logits_or_detached(model, x.clone()), y, reduction="sum")
    if not loss.requires_grad:
        return torch.ones_like(y, dtype=torch.bool)
    (gradient,) = torch.autograd.grad(loss, x, allow_unused=True)
    if gradient is None:
        return torch.ones_like(y, dtype=torch.bool)
    return gradient.flatten(1).isnan().any(1)
