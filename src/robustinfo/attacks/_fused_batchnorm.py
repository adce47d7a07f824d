"""Fold BatchNorm into the convolution before it, and store channels last: cheaper to attack.

In eval mode BatchNorm is a fixed scale and shift of every channel, which the weights and the bias
of a convolution can take in (Jacob et al., 2018, arXiv 1712.05877, section 3.2). An attack wants no
gradient of either, so nothing is lost: logits and gradients stay what they are, but for rounding,
as they do with another batch size.
"""

from collections import Counter
from copy import deepcopy
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from robustinfo.attacks._frozen import frozen

PROBES = 4  # images on which the copy must answer as the network does
TOLERANCE = 1e-4  # of the largest logit


@torch.no_grad()
def fold_batchnorm(model: nn.Module, x: Tensor) -> nn.Module:
    """A folded copy of a frozen network, for images like x, (n, c, h, w).

    Returns the network itself where a layer has a hook, which the copy would call in its place,
    where the copy has other logits (something reads the tensor between a convolution and its
    BatchNorm unseen by autograd), and where a network cannot be copied or has no gradient. A
    network that needs contiguous tensors, as for ``x.view(n, -1)``, is not stored channels last.
    """
    return _folded(model, x)[0]


@torch.no_grad()
def fold_for_training(model: nn.Module, x: Tensor) -> nn.Module:
    """``fold_batchnorm`` for a network in training: one copy, updated with every tensor's value.

    x: (n, c, h, w), as at every later call. Modes and flags of the network stay. Pairs are found
    and logits compared at the first call, and again when layers or tensors are replaced; so the
    forward pass may depend on parameters and buffers alone. Returns the network itself where there
    is nothing to fold, and where a layer has a hook, which the copy would call in its place.
    """
    layers = [*model.modules()]
    tensors = [*model.parameters(), *model.buffers()]
    structure = [id(one) for one in layers], [(one.dtype, one.device) for one in tensors]
    if model not in _COPIES or _COPIES[model][0] != structure:
        with frozen(model):
            copy, pairs = _folded(model, x)
        _COPIES[model] = structure, copy if pairs else None, pairs
    _, copy, pairs = _COPIES[model]
    if copy is None:
        return model
    _update(copy, model, pairs)
    return copy


_COPIES: WeakKeyDictionary = WeakKeyDictionary()  # network: its structure, its copy, the pairs


def _folded(model: nn.Module, x: Tensor) -> tuple[nn.Module, list[tuple[str, str]]]:
    """The copy, and the names of each convolution and its BatchNorm; or the network, and none."""
    if any(layer._forward_hooks or layer._forward_pre_hooks for layer in model.modules()):
        return model, []
    try:
        copy = deepcopy(model)
        names = {layer: name for name, layer in copy.named_modules()}
        pairs = [(names[conv], names[norm]) for conv, norm in _conv_norm_pairs(copy, x[:1])]
        for conv, norm in pairs:
            layer = copy.get_submodule(conv)
            layer.weight, layer.bias = _fused(copy, conv, norm)
            copy.set_submodule(norm, nn.Identity())
    except Exception:  # the user's network may fail in any way, and needs no copy
        return model, []
    expected = model(x[:PROBES])
    for layout in (torch.channels_last, torch.contiguous_format):
        if _agrees(copy, layout, x[:PROBES], expected):
            return copy, pairs
    return model, []


def _fused(model: nn.Module, conv: str, norm: str) -> tuple[nn.Parameter, nn.Parameter]:
    """Weight and bias of the convolution with its BatchNorm folded in."""
    layer, scale = model.get_submodule(conv), model.get_submodule(norm)
    statistics = (scale.running_mean, scale.running_var, scale.eps, scale.weight, scale.bias)
    return fuse_conv_bn_weights(layer.weight, layer.bias, *statistics)


def _update(copy: nn.Module, model: nn.Module, pairs: list[tuple[str, str]]) -> None:
    """Overwrite the copy's parameters and buffers with the network's present values."""
    fused = {conv: _fused(model, conv, norm) for conv, norm in pairs}
    values = dict(model.named_parameters(remove_duplicate=False))
    values |= dict(model.named_buffers(remove_duplicate=False))
    for name, tensor in (*copy.named_parameters(), *copy.named_buffers()):
        layer, _, kind = name.rpartition(".")
        tensor.copy_(fused[layer][kind == "bias"] if layer in fused else values[name])


def _agrees(copy: nn.Module, layout: torch.memory_format, x: Tensor, expected: Tensor) -> bool:
    try:
        error = (copy.to(memory_format=layout)(x) - expected).abs().amax()
    except Exception:  # the network may use its BatchNorm in any way
        return False
    return bool(error <= TOLERANCE * expected.abs().amax())


def _conv_norm_pairs(model: nn.Module, x: Tensor) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Convolutions whose output is read by one BatchNorm alone, with it; both are used once."""
    made, used, read = {}, [], []

    def record(layer: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> None:
        used.append(layer)
        if isinstance(layer, nn.Conv2d):
            made[out.grad_fn] = layer
        elif layer.track_running_stats:
            read.append((inputs[0].grad_fn, layer))

    # Of exactly these types: a weight that is computed, as by spectral norm, cannot be set.
    layers = [one for one in model.modules() if type(one) in (nn.Conv2d, nn.BatchNorm2d)]
    if not any(isinstance(layer, nn.BatchNorm2d) for layer in layers):
        return []
    hooks = [layer.register_forward_hook(record) for layer in layers]
    with torch.enable_grad():
        readers = _reader_counts(model(x.clone().requires_grad_()))
    for hook in hooks:
        hook.remove()
    pairs = [(made[node], norm) for node, norm in read if node in made and readers[node] == 1]
    return [pair for pair in pairs if all(used.count(layer) == 1 for layer in pair)]


def _reader_counts(out: Tensor) -> Counter:
    """The number of operations that read the output of each operation in the autograd graph."""
    counts, todo = Counter(), [out.grad_fn]
    while todo:
        for node, _ in todo.pop().next_functions:
            if node is not None and not counts[node]:
                todo.append(node)
            counts[node] += 1
    return counts
