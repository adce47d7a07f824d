"""Calibration on clean images: does a network's confidence say how often it is right?

Guo, Pleiss, Sun and Weinberger (2017), arXiv 1706.04599: the expected calibration error with 15
bins of equal width, and the negative log-likelihood; Brier (1950), Monthly Weather Review 78, 1-3:
the score, summed over classes, 0 to 2. The confidence is the largest probability of the softmax;
outputs that are probabilities already are taken as they are.

Known bias: the calibration error of n images is too large, and the more so the fewer they are; how
large it is without any, ``calibration_error_by_chance`` says. Nothing is measured of a network that
names a class and nothing else.
"""

from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.core.measurement import Measurement, mean
from robustinfo.core.settings import Outline, Settings
from robustinfo.diagnostics._outputs import labels_alone, outputs, probabilities
from robustinfo.maths.calibration import by_chance, calibration_error, interval

QUANTITIES = (
    "expected_calibration_error", "calibration_error_by_chance", "overconfidence",
    "negative_log_likelihood", "brier_score",
)  # fmt: skip
MOST = 0.5  # of the images; where the outputs of more are probabilities, those of all are


class Config(Settings):
    pass


def outline(config: Config) -> Outline:
    """The names of its rows.

    expected_calibration_error  by how much confidence and accuracy differ, bin by bin
    calibration_error_by_chance  what that is, on average, of a calibrated network with the
        same confidences on as many images
    overconfidence  mean confidence less accuracy: above 0, it is too sure
    negative_log_likelihood  mean cross-entropy of the labels, in nats
    brier_score  squared distance of the probabilities from the label, from 0 to 2
    """
    return [{"quantity": QUANTITIES}]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """Means over the n images.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    found, y = outputs(model, x).cpu(), y.cpu()  # where sums are in order, and the same again
    if labels_alone(found):
        return []
    given = probabilities(found).double().mean() > MOST
    log_p = found.log() if given else found.log_softmax(1)  # (n, K)
    confidence, predicted = log_p.exp().max(1)
    right, n = (predicted == y).double(), len(y)
    if not confidence.isfinite().all():
        return [Measurement(name, float("nan"), n=n) for name in QUANTITIES]
    error, chance = calibration_error(confidence, right), by_chance(confidence, generator)
    low, high = interval(confidence, right, generator, chance)
    distance = (log_p.exp() - F.one_hot(y, log_p.shape[1])).square().sum(1)
    values = (
        Measurement(QUANTITIES[0], error.item(), "own", n, low, high),
        Measurement(QUANTITIES[1], chance.mean().item(), n=n),
        mean(QUANTITIES[2], confidence - right),
        mean(QUANTITIES[3], -log_p.gather(1, y[:, None]).squeeze(1)),
        mean(QUANTITIES[4], distance),
    )
    return list(values)
