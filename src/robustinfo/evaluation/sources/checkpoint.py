"""``FILE.safetensors``: a network that the pipeline trained, ``model.safetensors`` or a snapshot.

The file says its architecture, inputs, classes and defence. Its sha256 is checked.
"""

import os
from pathlib import Path

from safetensors import SafetensorError
from torch import nn

from robustinfo.core import checkpoint, registry
from robustinfo.core.checkpoint import Checkpoint
from robustinfo.core.errors import UserError, one_line
from robustinfo.core.sealed import is_sealed
from robustinfo.evaluation.sources._request import ModelRequest


def load(text: str, request: ModelRequest) -> Checkpoint:
    """The checkpoint. Raises UserError for another program's file, other images or classes."""
    file = Path(text)
    if not os.path.isfile(file):
        raise UserError(f"{file}: no such file; the pipeline writes results/.../model.safetensors")
    try:
        is_ours = is_sealed(file)
    except (OSError, SafetensorError):
        is_ours = True  # unreadable: loading says why
    if not is_ours:
        raise UserError(
            f"{file} was not written by robustinfo; write a function that builds the network and "
            "loads it, and name it: package.module:function"
        )
    content = checkpoint.load(file)
    try:
        registry.config("defences", content.defence)
    except ValueError as error:
        raise UserError(
            f"{text}: its defence {content.defence} is none of this version "
            f"({one_line(error)[:300]}); use the version that trained it"
        ) from error
    if (content.shape, content.classes) != (request.shape, request.classes):
        description = checkpoint.describe(content.architecture, content.shape, content.classes)
        raise UserError(
            f"{text} holds {description}, and the data are images of "
            f"{' x '.join(map(str, request.shape))} in {request.classes} classes; name the data "
            "of its study, at that size"
        )
    return content


def network(content: Checkpoint, text: str) -> nn.Module:
    """The network of the file ``text``. Raises UserError if its method has other layers by now."""
    try:
        return checkpoint.network(content)
    except UserError as error:
        raise UserError(f"{text}: {error}") from error
