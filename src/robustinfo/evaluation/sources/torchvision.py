"""``torchvision:NAME``: a classifier of torchvision with its default weights, trained on ImageNet.

Mean and standard deviation of these weights' own transforms are put inside. Their resizing is not:
the images are read at the size they have.
"""

import torch

from robustinfo.evaluation.sources._normalised import normalised
from robustinfo.evaluation.sources._request import (
    Loaded,
    ModelRequest,
    check_name,
    unavailable,
)


def load(name: str, request: ModelRequest) -> Loaded:
    """Images in [0, 1] -> logits of ImageNet's 1,000 classes. Raises UserError."""
    from torchvision import models  # slow, and only this source needs it

    text = f"torchvision:{name}"
    check_name(name, models.list_models(module=models), text, "torchvision")
    weights = models.get_model_weights(name).DEFAULT
    transforms = weights.transforms()
    try:
        network = models.get_model(name, weights=weights)
    except (OSError, RuntimeError) as error:
        raise unavailable(text, error, f"{torch.hub.get_dir()}/checkpoints") from error
    return Loaded(normalised(network, transforms.mean, transforms.std, text, request.shape[0]))
