"""Whether a network's outputs are what attacks take them for: finite logits with a gradient.

Athalye et al. (2018), arXiv 1802.00420 (shattered and stochastic gradients), Carlini et al. (2019),
arXiv 1902.06705, section 5, and Tramer et al. (2020), arXiv 2002.08347: evaluations fail where the
network gives probabilities, answers differently every time, or cannot be climbed. All of it can be
seen without an attack, in eval mode and float32; ``outline`` says what is looked for.

Known bias: logits may look like probabilities, or like their logarithms, by chance. That takes a
hit within 1e-4 and happens to single images, where a softmax does it to all: ask for a share near
1. Logarithms with one class so likely that it gives 0 cannot be told from logits that were shifted
to a maximum of 0. Attributes that are neither weights nor buffers are not watched.
"""

from functools import partial

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks._frozen import frozen, seeded
from robustinfo.attacks._gradient_safe import answer
from robustinfo.core.batches import together
from robustinfo.core.measurement import Measurement, exact, fraction
from robustinfo.core.settings import Outline, Settings
from robustinfo.diagnostics._depends import drifted, seen, tensors
from robustinfo.diagnostics._kept import kept

SUM = 1e-4  # how near to 1, or its logarithm to 0, the sum of probabilities is
AGAIN = 1e-5  # of the largest logit: what the same batch may differ by, twice in a row
COMPANY = 1e-2  # the same for other batches: their size decides on algorithms, on GPUs on TF32
FORWARDS = 5  # of the same images, that are compared
WATCHED = 32  # images on whose answers the state must decide
ALIKE = 4  # images to a company, the most alike that there are, each of them twice


class Config(Settings):
    pass


def outline(config: Config) -> Outline:
    """What its rows are called.

    nonfinite_fraction  an output that is NaN or infinite, in any forward
    probabilities_fraction  outputs of at least 0 that sum to 1: a softmax, where attacks on
        the margin expect logits
    log_probabilities_fraction  outputs of at most 0 whose exponentials do: a log-softmax
    forwards_differ_fraction  forwards of the same batch that differ: a single one proves
        nothing
    batch_dependent_fraction  other outputs in other company, as of BatchNorm in training
        mode; only where the forwards themselves agree
    no_gradient_fraction  no gradient of the cross-entropy in x at all, or one with NaN. A
        gradient that is 0 is another question: zero_gradients.py
    weights_changed  the part of the tensors of the state that these forwards changed, and
        that the answers depend on (_depends.py). They are changed back
    """
    kinds = (
        "nonfinite", "probabilities", "log_probabilities", "forwards_differ", "batch_dependent",
        "no_gradient",
    )  # fmt: skip
    return [{"quantity": (*(f"{kind}_fraction" for kind in kinds), "weights_changed")}]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Fractions of the n images, but the last."""
    with kept(model), frozen(model), seeded(x, generator):
        asked = partial(_repeated, model, x[:WATCHED])
        first = seen(model, asked)
        runs = torch.stack([_outputs(model, x) for _ in range(FORWARDS)])  # (forwards, n, K)
        differ = _apart(runs, AGAIN)
        apart = _apart(torch.stack([runs[0], _in_company(model, x)]), COMPANY)
        masks = {
            "nonfinite_fraction": ~runs.isfinite().all(2).all(0),
            "probabilities_fraction": _probabilities(runs[0]),
            "log_probabilities_fraction": _log_probabilities(runs[0]),
            "forwards_differ_fraction": differ,
            "batch_dependent_fraction": apart & ~differ,
            "no_gradient_fraction": _without_gradient(model, x, y),
        }
        held = max(1, len(tensors(model)))
        changed = drifted(model, first, asked, _alike)
    found = [fraction(name, mask) for name, mask in masks.items()]
    return [*found, exact("weights_changed", len(changed) / held)]


def _repeated(model: nn.Module, x: Tensor) -> Tensor:
    """Outputs that a network with noise of torch's gives again."""
    with seeded(x, Generator(x.device).manual_seed(0)):
        return _outputs(model, x)


def _alike(a: Tensor, b: Tensor) -> bool:
    return not _apart(torch.stack([a, b]), AGAIN).any()


@torch.no_grad()
def _outputs(model: nn.Module, x: Tensor) -> Tensor:
    """(n, K) float64, in batches as every other diagnostic makes them."""
    return torch.cat([model(part.clone()) for (part,) in together(x)]).double()


@torch.no_grad()
def _in_company(model: nn.Module, x: Tensor) -> Tensor:
    """(n, K) float64: every image twice, in a small batch of those that are as bright as it is.

    What is averaged over a batch is another there than in a batch of all kinds.
    """
    order = x.flatten(1).mean(1).argsort()
    out = torch.cat([model(x[few].repeat(2, 1, 1, 1))[: len(few)] for few in order.split(ALIKE)])
    return torch.empty_like(out).index_copy_(0, order, out).double()


def _apart(runs: Tensor, tolerance: float) -> Tensor:
    """(n,) bool: does any of runs (r, n, K) differ from the first by more than rounding?"""
    size = runs[0].nan_to_num(0.0, 0.0, 0.0).abs().amax(1, keepdim=True)
    near = (runs - runs[0]).abs() <= tolerance * size
    alike = near | (runs == runs[0]) | (runs.isnan() & runs[0].isnan())
    return ~alike.all(2).all(0)


def _probabilities(outputs: Tensor) -> Tensor:
    return (outputs >= 0).all(1) & ((outputs.sum(1) - 1).abs() <= SUM)


def _log_probabilities(outputs: Tensor) -> Tensor:
    return (outputs <= 0).all(1) & (outputs.logsumexp(1).abs() <= SUM)


def _without_gradient(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """(n,) bool."""
    parts = together(x, y)
    return torch.cat([_stuck(model, a, b) for a, b in parts])


def _stuck(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    loss = F.cross_entropy(answer(model, x.clone()), y, reduction="sum")
    if not loss.requires_grad:
        return torch.ones_like(y, dtype=torch.bool)
    (gradient,) = torch.autograd.grad(loss, x, allow_unused=True)
    if gradient is None:
        return torch.ones_like(y, dtype=torch.bool)
    return gradient.flatten(1).isnan().any(1)
