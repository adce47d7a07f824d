"""The sources of networks to be judged; one file per source, chosen by ``_kind.py``.

    package.module:function      called with --build-args, with the current folder on the path; it
    package.module:Class         returns a network, or is itself a function that answers
    FILE.pt, FILE.safetensors    weights by name, with --build package.module:Class
    FILE.safetensors             a checkpoint of ours
    FILE.pt, FILE.pt2            TorchScript, or a program of torch.export
    FILE.onnx                    ONNX (extra onnx)
    torchvision:NAME             with torchvision's default weights
    timm:NAME                    with timm's pretrained weights (extra timm)
    robustbench:NAME             or robustbench:THREAT/NAME, of its model zoo (extra robustbench)
    hf:NAME, hf:FOLDER           an image classifier of Hugging Face (extra transformers)
    http://..., https://...      a server that answers (served.py)

Whatever the source, the network reads images in [0, 1] and gives logits, in eval mode, on the
device. Nothing is unpickled here but weights; RobustBench opens its own files with ``torch.load``.
Modules of Python, TorchScript and programs of torch.export are code, and trusted.
"""

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._kind import (
    BUILT,
    FORMS,
    NORMALISED,
    PREFIXES,
    kind_of,
    options_of_twin,
)

if TYPE_CHECKING:  # torch is slow to import, and the command's help asks for the names alone
    import torch

    from robustinfo.evaluation.sources._guarded import Guarded
    from robustinfo.evaluation.sources._normalised import Numbers

__all__ = ["FORMS", "in_memory", "model", "options_of_twin"]


def model(
    text: str,
    *,
    shape: tuple[int, ...],
    classes: int,
    device: "torch.device | str" = "cpu",
    build: str | None = None,
    build_args: Mapping[str, Any] | None = None,
    mean: "Numbers | None" = None,
    std: "Numbers | None" = None,
) -> "Guarded":
    """The network that ``text`` names: images (n, c, h, w) in [0, 1] -> logits (n, classes).

    It is Guarded: it may overwrite its inputs, and ``notes`` list the changes made to judge it.
    Global settings of torch that its code changes are restored. The network of a checkpoint file
    has the ``checkpoint``. Its ``sha256`` is that of its file; else of weights and buffers, and of
    the source file of a module; "" of a server.

    shape: (c, h, w) of the images that it is to read. build: module:Class, for a file of weights.
    build_args: keyword arguments of what builds the network. mean, std: a number for all channels
    or one per channel, where the network reads (x - mean) / std.
    Raises UserError if it cannot be loaded, or does not classify such images into so many classes.
    """
    kind, (c, h, w) = kind_of(text), shape
    _check_options(kind, text, build, build_args, mean, std)
    import torch

    from robustinfo.evaluation.sources._checked import checked
    from robustinfo.evaluation.sources._globals import restoring_torch_state
    from robustinfo.evaluation.sources._request import ModelRequest

    request = ModelRequest((c, h, w), classes, torch.device(device), build, build_args)
    source = import_module(f"robustinfo.evaluation.sources.{kind}")
    prefix, _, name = text.partition(":")
    process = os.getpid()
    with restoring_torch_state():
        loaded = source.load(name if prefix in PREFIXES and kind != "served" else text, request)
    if os.getpid() != process:
        os._exit(0)  # a copy that the builder has forked: the network is judged once
    return checked(loaded, text, request, mean, std)


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

    from robustinfo.evaluation.sources._checked import checked
    from robustinfo.evaluation.sources._globals import restoring_torch_state
    from robustinfo.evaluation.sources._guarded import Guarded
    from robustinfo.evaluation.sources._memory import network_in_memory
    from robustinfo.evaluation.sources._request import Loaded, ModelRequest

    (c, h, w) = shape
    checkpoint = network.checkpoint if isinstance(network, Guarded) else None
    with restoring_torch_state():
        loaded = Loaded(network_in_memory(network, name, classes), checkpoint=checkpoint)
    request = ModelRequest((c, h, w), classes, torch.device(device))
    return checked(loaded, name, request, mean, std)


def _check_options(
    kind: str,
    text: str,
    build: str | None,
    build_args: Mapping[str, Any] | None,
    mean: "Numbers | None",
    std: "Numbers | None",
) -> None:
    """Raise UserError where an option says nothing of such a network."""
    if build is not None and kind != "weights":
        raise UserError(f"{text}: --build {build} is for a file of weights; leave it out")
    if build_args and kind not in BUILT:
        raise UserError(f"{text}: --build-args are for code that builds a network; leave them out")
    if kind in NORMALISED and not (mean is None and std is None):
        raise UserError(f"{text}: its own mean and std are known; leave --mean and --std out")
