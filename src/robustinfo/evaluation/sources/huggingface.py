"""``hf:NAME`` or ``hf:FOLDER``: an image classifier of Hugging Face's transformers.

What its image processor does to colours, as by mean and standard deviation, is put inside; its
resizing is not: the images are read at the size they have. Code that comes with a model is not run.
"""

from typing import Any

import torch
from PIL import Image
from torch import Tensor

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._normalised import normalised
from robustinfo.evaluation.sources._request import Loaded, ModelRequest, import_extra, unavailable

COLOURS = {"black": (0, 0, 0), "white": (255, 255, 255), "red": (255, 0, 0)}
SIDE = 512  # pixels of an image that the processor is shown


def load(name: str, request: ModelRequest) -> Loaded:
    """Images in [0, 1] -> its outputs, with ``logits``. Raises UserError."""
    transformers, text = import_extra("transformers"), f"hf:{name}"
    try:
        network, about = transformers.AutoModelForImageClassification.from_pretrained(
            name, output_loading_info=True
        )
        processor = transformers.AutoImageProcessor.from_pretrained(name)
    except Exception as error:  # the Hub's errors change with its versions
        raise unavailable(text, error, "the Hub's cache (HF_HOME), or into a folder") from error
    if missing := sorted(about["missing_keys"]):
        raise UserError(
            f"{text} has no trained weights of {', '.join(missing[:3])}; choose a model that was "
            "trained to classify images"
        )
    mean, std = _mean_and_std(processor, text)
    return Loaded(normalised(network, mean, std, text, request.shape[0]))


def _mean_and_std(processor: Any, text: str) -> tuple[list[float], list[float]]:  # noqa: ANN401
    """By channel: the processor makes (x - mean) / std of x in [0, 1]. Raises UserError."""
    black, white, red = (_seen(processor, colour) for colour in COLOURS.values())
    if len(black) == 3 and not red.allclose(torch.stack([white[0], black[1], black[2]]), atol=1e-5):
        raise UserError(
            f"{text} reads colours in another order than red, green, blue; write a function that "
            "gives it what it reads, and name that: mine:build"
        )
    scale = white - black
    return (-black / scale).tolist(), (1 / scale).tolist()


def _seen(processor: Any, colour: tuple[int, int, int]) -> Tensor:  # noqa: ANN401
    """What the processor makes of the middle of an image of one colour, (c,) float64."""
    image = Image.new("RGB", (SIDE, SIDE), colour)
    pixels = processor(image, return_tensors="pt")["pixel_values"][0].double()
    return pixels[:, pixels.shape[1] // 2, pixels.shape[2] // 2]
