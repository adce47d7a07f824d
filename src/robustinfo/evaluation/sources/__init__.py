"""The sources of networks to be judged; one file per source, chosen by the prefix of the name.

    package.module:function      called without arguments, with the current folder on the path
    torchvision:NAME             with torchvision's default weights
    timm:NAME                    with timm's pretrained weights
    robustbench:NAME             or robustbench:THREATMODEL/NAME, of RobustBench's model zoo
    FILE.safetensors             a checkpoint of ours

Whatever the source, the network reads images in [0, 1] and gives logits, in eval mode, on the
device. Nothing is unpickled here; RobustBench opens its own files with ``torch.load``.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from robustinfo.core.errors import UserError

if TYPE_CHECKING:  # torch is slow to import, and the command's help asks for the names alone
    import torch

    from robustinfo.evaluation.sources._guarded import Guarded

PREFIXES = ("torchvision", "timm", "robustbench")
CHECKPOINT = ".safetensors"
PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".tar")
FORMS = ["package.module:function", *(f"{one}:NAME" for one in PREFIXES), "FILE.safetensors"]


def model(
    text: str,
    *,
    shape: tuple[int, ...],
    classes: int,
    device: "torch.device | str" = "cpu",
) -> "Guarded":
    """The network that ``text`` names: images (n, c, h, w) in [0, 1] -> logits (n, classes).

    It is Guarded: it may overwrite its inputs, and ``notes`` list the changes made to judge it.
    Global settings of torch that its code changes are restored. The network of a checkpoint file
    has the ``checkpoint``.

    shape: (c, h, w) of the images that it is to read.
    Raises UserError if it cannot be loaded, or does not classify such images into so many classes.
    """
    prefix, name = text.split(":", 1) if ":" in text else ("", text)
    kind, (c, h, w) = _kind(text, prefix), shape
    import torch

    from robustinfo.evaluation.sources._check import check_classifier
    from robustinfo.evaluation.sources._globals import restoring_torch_state
    from robustinfo.evaluation.sources._request import ModelRequest

    request = ModelRequest((c, h, w), classes)
    source = import_module(f"robustinfo.evaluation.sources.{kind}")
    process = os.getpid()
    with restoring_torch_state():
        loaded = source.load(name if kind == prefix else text, request)
    if os.getpid() != process:
        os._exit(0)  # a copy that the builder has forked: the network is judged once
    if kind != "checkpoint":
        return check_classifier(loaded, text, request, torch.device(device))
    guard = check_classifier(source.network(loaded, text), text, request, torch.device(device))
    guard.checkpoint = loaded  # it also says how the network is defended
    return guard


def _kind(text: str, prefix: str) -> str:
    """The module of this folder that loads the network."""
    if prefix in PREFIXES:
        return prefix
    if text.endswith(CHECKPOINT):
        return "checkpoint"
    if Path(text).suffix in PICKLES:
        raise UserError(
            f"{text}: a file of torch.save is a pickle, and loading it may run any code; write a "
            "function that builds the network and loads it, and name it: package.module:function"
        )
    if prefix:
        return "function"
    raise UserError(f"{text!r} names no network; write one of: {', '.join(FORMS)}")
