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
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustinfo.core.errors import UserError

if TYPE_CHECKING:  # torch is slow to import, and the command's help asks for the names alone
    import torch

    from robustinfo.evaluation.sources._guarded import Guarded
    from robustinfo.evaluation.sources._normalised import Numbers

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


def in_memory(
    network: "torch.nn.Module | Callable[..., Any]",
    *,
    shape: tuple[int, ...],
    classes: int,
    device: "torch.device | str" = "cpu",
    mean: "Numbers | None" = None,
    std: "Numbers | None" = None,
    name: str = "network",
) -> "Guarded":
    """A network that the caller has: images (n, c, h, w) in [0, 1] -> logits (n, classes).

    network: a module, of which a copy is judged, so that it stays as it is: weights, buffers,
    modes, flags, dtypes and device. Or a function, of which only answers are known
    (``answers_only``): it gets numpy arrays, float32 (n, c, h, w), and gives scores (n, classes) or
    integer labels (n,). shape: (c, h, w) of the images. mean, std: a number for all channels or one
    per channel, where the network reads (x - mean) / std. name: of the network, for messages.
    The Guarded has its ``sha256``, of weights and buffers; "" of a function. Raises UserError if it
    does not classify such images into so many classes.
    """
    import torch

    from robustinfo.evaluation.sources._check import check_classifier
    from robustinfo.evaluation.sources._fingerprint import network_sha256
    from robustinfo.evaluation.sources._globals import restoring_torch_state
    from robustinfo.evaluation.sources._guarded import Guarded
    from robustinfo.evaluation.sources._memory import network_in_memory
    from robustinfo.evaluation.sources._normalised import normalised
    from robustinfo.evaluation.sources._request import ModelRequest

    (c, h, w) = shape
    checkpoint = network.checkpoint if isinstance(network, Guarded) else None
    with restoring_torch_state():
        copy = network_in_memory(network, name, classes)
    sha256 = network_sha256(copy)
    inside = normalised(copy, mean, std, name, c)
    guard = check_classifier(inside, name, ModelRequest((c, h, w), classes), torch.device(device))
    guard.source, guard.sha256, guard.checkpoint = name, sha256, checkpoint
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
