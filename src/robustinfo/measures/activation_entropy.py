"""E per layer, and E_N and E_T of the network, of arXiv 2008.03072 (eq. 6-8), in natural-log units.

The layers are the model's ``activations``; formulas, and the choices that they leave open, are in
``maths/activation_entropy.py``.
"""

from torch import Tensor

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, Settings
from robustinfo.maths import activation_entropy as maths

POINTS = "activations"
WHOLE, PER_NEURON = "activation_entropy", "activation_entropy_per_neuron"


class Config(Settings):
    pass


def outline(config: Config) -> Outline:
    """The names of its rows; a layer that is not named is each of its points.

    activation_entropy  E of a layer: -sum h log h over its outputs h, in natural-log units; no
        Shannon entropy, and negative where outputs exceed 1
    activation_entropy_per_neuron  E over the number of the layer's neurons
    network_entropy  E_N: the mean over the layers of E per neuron, in natural-log units
    entropy_flow  E_T: by how much E falls from a layer to the next, on average
    """
    return [
        {"quantity": ("activation_entropy", "activation_entropy_per_neuron")},
        {"quantity": ("network_entropy", "entropy_flow"), "layer": ("network",)},
    ]


def estimate(t: Tensor, y: Tensor, *, config: Config) -> list[Measurement]:
    """E of the set, whole and per neuron.  t: (n, d) activations >= 0, or ValueError."""
    sums: maths.Sums | None = None
    for part in t.split(1024):  # of a wide layer, the copies in double precision would not fit
        sums = add(sums, part, config=config)
    return measurements(sums, config=config)  # type: ignore[arg-type]  # there is a part


def add(sums: maths.Sums | None, t: Tensor, *, config: Config) -> maths.Sums:
    """The sums with a batch t (n, d) added.  sums: None at first."""
    maths.refuse_negative(t, f"of {t.shape[1]} neurons")
    return maths.accumulate(t, sums)


def measurements(sums: maths.Sums, *, config: Config) -> list[Measurement]:
    """``estimate`` of all batches that were added."""
    entropy = maths.entropy_of_set(sums).item()
    return [
        Measurement(WHOLE, entropy),
        Measurement(PER_NEURON, entropy / sums.neurons),
    ]


def combine(layers: dict[str, list[Measurement]]) -> list[Measurement]:
    """E_N and E_T of the whole network from the measurements of its layers, in order."""
    of_layers = [one for of_layer in layers.values() for one in of_layer]
    entropies = [one.value for one in of_layers if one.quantity == WHOLE]
    per_neuron = [one.value for one in of_layers if one.quantity == PER_NEURON]
    return [
        Measurement("network_entropy", maths.network_entropy(per_neuron, [1] * len(per_neuron))),
        Measurement("entropy_flow", maths.entropy_flow(entropies)),
    ]
