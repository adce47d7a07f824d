"""The entropy-like values E, E_N and E_T of activations.

Sperl and Böttinger (2020), arXiv 2008.03072:
E(h_i) = - sum_j h_j log h_j  over the N_i neurons of layer i (eq. 6; natural logarithm),
E_N = 1/M sum_i E(h_i) / N_i  (eq. 7),   E_T = (E(h_1) - E(h_M)) / (M - 1)  (eq. 8).
Activations are no probabilities: E is negative where they exceed 1, and is not a Shannon entropy.
E_T telescopes: of M layers, only the first and the last act.
"""

from collections.abc import Sequence

from torch import Tensor

from robustinfo.faults import Fault

FLOOR = 1e-12  # inside the logarithm: 0 log 0 = 0 with a finite slope


def activation_entropy(h: Tensor) -> Tensor:
    """E of each sample, (n, d) non-negative activations -> (n,), in natural-log units.

    Negative activations give a finite but meaningless value: see ``refuse_negative``.
    """
    return -(h * h.clamp(min=FLOOR).log()).sum(1)


def refuse_negative(h: Tensor, layer: str) -> None:
    """Raise ValueError, naming the layer and the value, if an activation is below 0."""
    lowest = h.min().item()
    if lowest < 0:
        raise Fault(
            f"layer {layer!r} yields {lowest:.3g}: activation entropy needs activations >= 0 "
            "(outputs of ReLU, sigmoid or softmax); name others under the model's `activations`"
        )


def network_entropy(entropies: Sequence[Tensor], sizes: Sequence[int]) -> Tensor:
    """E_N from E(h_i) of each layer, every one (n,) or scalar, and the layers' neuron counts."""
    return sum(e / size for e, size in zip(entropies, sizes, strict=True)) / len(sizes)


def entropy_flow(entropies: Sequence[Tensor]) -> Tensor:
    """E_T from E(h_i) of each layer, every one (n,) or scalar. Needs at least two layers."""
    return (entropies[0] - entropies[-1]) / (len(entropies) - 1)
