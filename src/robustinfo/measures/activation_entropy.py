"""E per layer, and E_N and E_T of the network, of arXiv 2008.03072 (eq. 6-8), in natural-log units.

Which outputs are layers is the model's ``activations``; formulas, their traps and what they leave
open stand in ``maths/activation_entropy.py``.
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
    """What its rows are called; a layer that is not named is each of its points.

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
    """t: (n, d) activations >= 0, or ValueError.  E of the set, whole and per neuron."""
    held: maths.Sums | None = None
    for part in t.split(1024):  # of a wide layer, the copies in double precision would not fit
        held = add(held, part, config=config)
    return told(held, config=config)  # type: ignore[arg-type]  # there is a part


def add(held: maths.Sums | None, t: Tensor, *, config: Config) -> maths.Sums:
    """``estimate`` in parts: what is held of the parts before, None at first, and of t."""
    maths.refuse_negative(t, f"of {t.shape[1]} neurons")
    return maths.summed(t, held)


def told(held: maths.Sums, *, config: Config) -> list[Measurement]:
    """What ``estimate`` says of all that was added."""
    entropy = maths.of_set(held).item()
    return [
        Measurement(WHOLE, entropy),
        Measurement(PER_NEURON, entropy / held.neurons),
    ]


def combine(layers: dict[str, list[Measurement]]) -> list[Measurement]:
    """E_N and E_T of the whole network from what ``estimate`` gave for each layer, in order."""
    every = [one for found in layers.values() for one in found]
    whole = [one.value for one in every if one.quantity == WHOLE]
    per_neuron = [one.value for one in every if one.quantity == PER_NEURON]
    return [
        Measurement("network_entropy", maths.network_entropy(per_neuron, [1] * len(per_neuron))),
        Measurement("entropy_flow", maths.entropy_flow(whole)),
    ]
