"""Adversarial images of the user: a tensor, an array, or a file of one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from robustinfo.core.errors import UserError
from robustinfo.evaluation.own import attack_name

X_ADV, OWN = "x_adv", "own_images"


def read_images(given: Any) -> dict[str, Tensor]:  # noqa: ANN401
    """Adversarial images by a name: (n, c, h, w), in the order of the judged ones.

    given: a tensor, an array, a file (.safetensors with a tensor ``x_adv`` or a single one, .npy,
    .pt), several of these, or a mapping from names to them; None: none. Raises UserError.
    """
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {str(name): _one(one) for name, one in given.items()}
    if isinstance(given, Sequence) and not isinstance(given, str):
        images: dict[str, Tensor] = {}
        for one in given:
            name = Path(one).stem if isinstance(one, str | Path) else OWN
            images[attack_name(name, images)] = _one(one)
        return images
    name = Path(given).stem if isinstance(given, str | Path) else OWN
    return {name: _one(given)}


def _one(given: Any) -> Tensor:  # noqa: ANN401
    images = _from_file(Path(given)) if isinstance(given, str | Path) else torch.as_tensor(given)
    if images.ndim != 4:
        raise UserError(f"adversarial images have shape {tuple(images.shape)}; give (n, c, h, w)")
    if images.dtype != torch.uint8 and not images.is_floating_point():
        raise UserError(f"adversarial images are {images.dtype}; give floats in [0, 1], or uint8")
    return images if images.dtype == torch.uint8 else images.float()


def _from_file(file: Path) -> Tensor:
    """The tensor of a file; nothing is unpickled."""
    try:
        if file.suffix == ".npy":
            return torch.from_numpy(np.load(file, allow_pickle=False))
        if file.suffix == ".safetensors":
            content: Any = load_file(file)
            if X_ADV not in content and len(content) != 1:
                raise UserError(f"{file} holds {', '.join(content)}, and no tensor {X_ADV}")
            return content.get(X_ADV, next(iter(content.values())))
        if file.suffix in (".pt", ".pth"):
            content = torch.load(file, weights_only=True, map_location="cpu")
            return content if isinstance(content, Tensor) else content[X_ADV]
    except UserError:
        raise
    except Exception as error:  # of numpy, safetensors, pickle and zip files
        raise UserError(f"{file} holds no adversarial images ({error})") from error
    raise UserError(f"{file}: adversarial images are read from .safetensors, .npy or .pt")
