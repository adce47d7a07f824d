"""nHSIC(Y, T), and nHSIC(X, T) where the inputs are given: stand-ins for mutual information.

Ma et al. (2020), arXiv 1908.01580, Wang et al. (2021), arXiv 2106.02734, and IB-RAR, arXiv
2302.10896; formulas in ``maths/hsic.py``. Gaussian kernels with sigma = 5 per feature, a linear one
for the labels: nHSIC(Y, T) reaches the number of classes less one, nHSIC(X, T) batch_size - 1.

It is no information and no distance from independence: noise that knows nothing of the label
scores high as soon as it has more features than a batch has samples. So beside each value stands
``_chance``, its exact mean over all permutations of the samples. And it depends on the number of
samples m: what is estimated is the mean over batches of ``batch_size``, and only equal sizes
compare. A layer that holds a value that is not finite has nan.
"""

import torch
from pydantic import Field
from torch import Tensor

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, Settings
from robustinfo.maths.hsic import chance, nhsic, projection
from robustinfo.maths.kernels import gaussian, same_label
from robustinfo.measures._shared import equal_batches

POINTS = "probes"
SEES_INPUTS = True  # x is handed on


class Config(Settings):
    batch_size: int = Field(100, gt=1)  # m; the paper trains with 100


def outline(config: Config) -> Outline:
    """The names of its rows.

    nhsic_input  nHSIC(X, T): a stand-in for I(T;X), of batches of ``batch_size``; no unit
    nhsic_label  nHSIC(Y, T): a stand-in for I(T;Y); at most the number of classes less one
    nhsic_input_chance, nhsic_label_chance  its mean over all permutations of the samples
    """
    return [
        {
            "quantity": (
                "nhsic_input",
                "nhsic_input_chance",
                "nhsic_label",
                "nhsic_label_chance",
            )
        }
    ]


@torch.no_grad()
def estimate(t: Tensor, y: Tensor, *, config: Config, x: Tensor | None = None) -> list[Measurement]:
    """Means over batches.  t: (n, d) activations.  y: (n,) labels.  x: (n, ...) inputs, or None.

    Raises ValueError if n is less than a batch; what is left over of the last one is not used.
    """
    sides = {"label": y} if x is None else {"input": x.flatten(1), "label": y}
    batches: dict[str, list[Tensor]] = {}
    for part, *others in equal_batches(config.batch_size, t, *sides.values()):
        r = projection(gaussian(part))
        for name, other in zip(sides, others, strict=True):
            kernel = same_label(other) if name == "label" else gaussian(other)
            s = projection(kernel)
            batches.setdefault(f"nhsic_{name}", []).append(nhsic(r, s))
            batches.setdefault(f"nhsic_{name}_chance", []).append(chance(r, s))
    return [Measurement(name, torch.stack(v).mean().item()) for name, v in batches.items()]
