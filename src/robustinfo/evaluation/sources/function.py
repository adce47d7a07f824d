"""``package.module:name``: code of the user's own.

a function or class       called with the arguments of ``--build-args``; it returns a network,
                          or a function that answers
a network                 a torch.nn.Module that stands in the module
a function of images      known by its answers alone: numpy arrays (n, c, h, w), float32 in
                          [0, 1] -> scores (n, K) or labels (n,)
"""

from collections.abc import Callable
from inspect import Parameter, signature

import torch
from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources import _builder
from robustinfo.evaluation.sources._answers import AnswersOnly
from robustinfo.evaluation.sources._error_origin import error_with_origin
from robustinfo.evaluation.sources._fingerprint import network_sha256
from robustinfo.evaluation.sources._guarded import uncompiled
from robustinfo.evaluation.sources._request import Loaded, ModelRequest


def load(text: str, request: ModelRequest) -> Loaded:
    """The network. UserError if there is none, or its code fails or returns another type."""
    thing, file = _builder.named(text)
    network = _network(thing, text, request)
    return Loaded(network, network_sha256(network, [file] if file else []))


def build(text: str, request: ModelRequest) -> nn.Module:
    """The module that a builder returns. Raises UserError if it returns another type."""
    thing, _ = _builder.named(text)
    network = _network(thing, text, request)
    if isinstance(network, AnswersOnly):
        raise UserError(f"{text} is a function of images, and no network that reads weights")
    return network


def _network(thing: object, text: str, request: ModelRequest) -> nn.Module:
    arguments = request.build_args or {}
    if isinstance(thing, nn.Module) and not arguments:  # the network itself
        return uncompiled(thing)
    if isinstance(thing, nn.Module) or not callable(thing):
        raise UserError(f"{text} is {type(thing).__name__}, and no function that builds a network")
    if not arguments and _may_take_images(thing):
        return _function_of_images(thing, text, request)
    network = _builder.call(thing, text, arguments)
    if isinstance(network, nn.Module):
        return uncompiled(network)
    if callable(network) and not isinstance(network, type):
        return AnswersOnly(network, request.classes)
    raise UserError(
        f"{text}() gave {type(network).__name__}, not a torch.nn.Module; let it return the "
        "network, images in [0, 1] -> logits"
    )


def _may_take_images(thing: Callable) -> bool:
    """Whether it asks for one argument, and is no class."""
    if isinstance(thing, type):
        return False
    try:
        parameters = signature(thing).parameters.values()
    except (TypeError, ValueError):  # of some builtins it is not known
        return False
    asked = [
        one
        for one in parameters
        if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    return len(asked) == 1 and asked[0].kind != Parameter.KEYWORD_ONLY


def _function_of_images(function: Callable, text: str, request: ModelRequest) -> AnswersOnly:
    """The function by its answers. Raises UserError if it does not answer two images."""
    network = AnswersOnly(function, request.classes)
    try:
        network(torch.rand(2, *request.shape, generator=torch.Generator().manual_seed(0)))
    except Exception as error:  # it may be meant to build a network from its argument
        problem = (
            f"{_builder.arguments_problem(function, {})}; given numpy images, it fails, too "
            f"({error_with_origin(error)})"
        )
        raise UserError(_builder.arguments_error(function, text, problem)) from error
    return network
