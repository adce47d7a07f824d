"""The scale of the logits: their standard deviation over the classes, on average over images.

Guo et al. (2017), arXiv 1706.04599: networks go on raising it after they classify all they can. It
is 0 for logits that are alike, doubles with them at the same predictions, and does not see what is
added to all of them, which a softmax does not see either; log-probabilities have that of logits.

An estimate of information under noise of a fixed variance grows with it, whatever else a network
learns: two networks' values compare at a like scale alone (the paper's of arXiv 2207.05756; under
noise relative to the layer it cancels).
"""

from torch import Tensor

from robustinfo.core.measurement import Measurement, mean
from robustinfo.core.settings import Outline, Settings

POINTS = "logits"


class Config(Settings):
    pass


def outline(config: Config) -> Outline:
    """The name of its row.

    logit_scale  standard deviation of an image's logits over the classes, mean over the images
    """
    return [{"quantity": ("logit_scale",)}]


def estimate(t: Tensor, y: Tensor, *, config: Config) -> list[Measurement]:
    """The scale in units of the logits.  t: (n, K) logits.  y: (n,) labels, not used."""
    return [mean("logit_scale", t.double().std(1, correction=0))]
