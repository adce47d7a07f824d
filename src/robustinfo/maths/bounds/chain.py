"""A network as a chain of operations: recorded as it answers, and held to its answers.

Each operation has to read the output of the one before, and constants; what else happens cannot be
bounded here, and is said: two branches that meet, a decision on a value, an operation that is not
in steps.py. A constant that differs from image to image would be no constant, so it is refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

from robustinfo.maths.bounds.steps import AFFINE, MONOTONE, RESHAPES, Step

SAME = ("clone", "detach", "alias", "_to_copy", "lift_fresh")  # the values stay as they are
SHIFT = "_log_softmax"  # as the last operation it leaves every difference of two logits
EXACT = (torch.float32, torch.float64)  # the precisions that bounds allow for
ROUNDING = 1e-4  # of the largest logit: what the chain may differ from the network by


class NoBoundError(ValueError):
    """Why there is no bound: ``no bound: round at front``."""

    def __init__(self, what: str, layer: str) -> None:
        """what: an operation.  layer: its name; empty: none."""
        super().__init__(f"no bound: {what} at {layer or 'the network itself'}")
        self.what, self.layer = what, layer


@torch.no_grad()
def recorded(network: nn.Module, x: Tensor) -> list[Step]:
    """The steps of a network in eval mode, from x, (n, c, h, w), to its logits; in float64.

    Logits are meant but for a number of each image, which a log-softmax would take off. Recorded
    on two images, and compared with the network on all. Raises NoBoundError.
    """
    two = x[:1].repeat(2, 1, 1, 1) if len(x) == 1 else x[:2].clone()
    try:
        with _layers_of(network) as at, _Recorder(two, at) as recorder:
            out = network(two)
    except NoBoundError:
        raise
    except Exception as error:  # a network that cannot be watched may fail in any way
        raise NoBoundError(f"{type(error).__name__} while it was recorded", "") from error
    if recorder.place.get(id(out)) != len(recorder.steps):
        raise NoBoundError("logits that do not follow from images", "")
    by_steps = x.double()
    for step in recorder.steps:
        by_steps = step(by_steps)
    logits = network(x).double()
    differ = (by_steps - by_steps.mean(1, keepdim=True)) - (logits - logits.mean(1, keepdim=True))
    if not (differ.abs() <= ROUNDING * by_steps.abs().amax(1, keepdim=True)).all():
        raise NoBoundError("other answers than those of its recorded operations", "")
    return recorder.steps


class _Recorder(TorchDispatchMode):
    """Collects the steps of what follows from x, (2, c, h, w), tensor by tensor."""

    def __init__(self, x: Tensor, at: list[str]) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.at = at
        self.place = {id(x): 0}  # of every tensor that follows from x: the steps before it
        self.kept: list[Any] = [x]  # an id is used again once its tensor is gone
        self.shifted = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        out = func(*args, **(kwargs or {}))
        every, _ = tree_flatten((args, kwargs or {}))
        followed = [one for one in every if isinstance(one, Tensor) and id(one) in self.place]
        if followed:
            self._record(func, args, kwargs or {}, out, followed)
        return out

    def _record(self, func: Any, args: Any, kwargs: dict, out: Any, followed: list[Tensor]) -> None:  # noqa: ANN401
        name = func.overloadpacket.__name__.rstrip("_")
        result = out[0] if isinstance(out, tuple) else out
        known = name in (*SAME, SHIFT, *AFFINE, *MONOTONE) and isinstance(result, Tensor)
        self._require(known, name)
        follows = len(followed) == 1 and self.place[id(followed[0])] == len(self.steps)
        self._require(follows, f"a branch ({name})")
        self._require(result.dtype in EXACT, f"{name} in {result.dtype}")
        self._require(not self.shifted or name in SAME, f"{name} behind a log-softmax")
        if name == SHIFT:
            self._require(followed[0].ndim == 2 and args[1] in (1, -1), f"{name} of another form")
            self.shifted = True
        elif name not in SAME:
            self.steps.append(self._step(func, name, args, kwargs, followed[0]))
        self._require(len(result) == 2, f"{name} across images")
        self.kept.append(out)
        if result is not out:
            self.place |= {id(other): -1 for other in out}  # of these nothing may follow
        self.place[id(result)] = len(self.steps)

    def _step(self, func: Any, name: str, args: Any, kwargs: dict, t: Tensor) -> Step:  # noqa: ANN401
        if name == "mul" and args[1] is t:  # its factor comes second
            args = (t, args[0])
        places = [number for number, one in enumerate(args) if one is t]
        self._require(len(places) == 1, f"{name} of another form")
        factor = AFFINE.get(name)
        self._require(factor is None or places == [factor - 1], f"{name} of another form")
        self._require("batch_norm" not in name or not args[5], f"{name} in training mode")
        across = name in RESHAPES and args[1][0] != 2
        across |= name == "mean" and (len(args) < 2 or bool({0, -t.ndim} & {*args[1]}))
        self._require(not across, f"{name} across images")
        constants = tuple(None if one is t else _double(one) for one in args)
        if name in ("add", "sub", "rsub", "mul", "div"):
            sizes = [one.shape for one in constants if isinstance(one, Tensor)]
            own = any(len(shape) == t.ndim and shape[0] > 1 for shape in sizes)
            self._require(not own, f"{name} of what may differ by image")
        keywords = tree_map(_double, kwargs)
        operation = getattr(getattr(torch.ops.aten, name), func._overloadname)
        return Step(self.at[-1], name, operation, constants, places[0], keywords)

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            raise NoBoundError(what, self.at[-1])


def _double(one: Any) -> Any:  # noqa: ANN401
    floats = isinstance(one, Tensor) and one.is_floating_point()
    return one.detach().double().clone() if floats else one


@contextmanager
def _layers_of(network: nn.Module) -> Iterator[list[str]]:
    """The names of the layers that are being passed through, the innermost last."""
    names = {id(module): name for name, module in network.named_modules()}
    at = [""]

    def enter(module: nn.Module, _: Any) -> None:  # noqa: ANN401
        at.append(names.get(id(module), at[-1]))

    def leave(*_: Any) -> None:  # noqa: ANN401
        at.pop()

    hooks = register_module_forward_pre_hook(enter), register_module_forward_hook(leave)
    try:
        yield at
    finally:
        for hook in hooks:
            hook.remove()
