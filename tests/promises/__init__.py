"""What methods promise, folder by folder, as checks that say which promise broke.

The promises stand in words in the contract of a folder, ``src/robustinfo/KIND/__init__.py``. Here
``attacks.held(...)`` and its like hold one method to all of them, and tests/contracts/ holds every
method and every entry of every study; and shows for each promise a twin that breaks just that one.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, get_args

import torch
from torch import Tensor, nn

from robustinfo.core import registry
from robustinfo.core.measurement import Interval, Measurement
from robustinfo.core.settings import Settings


class Broken(AssertionError):
    """A promise of a contract that a method does not keep."""


class Held(NamedTuple):
    """A method, as a study's entry has it, that is held to its contract."""

    kind: str
    who: str
    module: Any
    config: Settings

    def keeps(self, holds: Any, promise: str) -> None:
        """Raises Broken, with the promise, if it does not hold."""
        if not holds:
            raise Broken(f"{self.kind}/{self.who} breaks a promise of its folder: {promise}")

    def hook(self, name: str) -> Any:
        """As registry.hook."""
        absent = getattr(registry.contract(self.kind).Hooks, name)
        return getattr(self.module, name, None if callable(absent) else absent)


def of(kind: str, entry: dict) -> Held:
    """An entry's method. Raises Broken if its file is none of the contract's."""
    found = registry.module(kind, entry), registry.config(kind, entry)
    held = Held(kind, entry["method"], *found)
    shaped(held)
    return held


def shaped(held: Held) -> None:
    """All that is required is there, and every function takes what it is given."""
    contract = registry.contract(held.kind)
    for name in (*vars(contract.Method)["__annotations__"], *_functions(contract.Method)):
        held.keeps(hasattr(held.module, name), f"it has `{name}`")
    for part in (contract.Method, contract.Hooks):
        for name, promised in _functions(part).items():
            own = getattr(held.module, name, None)
            if own is not None:
                problem = _mistaken(inspect.signature(own), inspect.signature(promised))
                held.keeps(not problem, f"`{name}` takes what it is given: {problem}")


def _functions(part: type) -> dict[str, Any]:
    return {n: f for n, f in vars(part).items() if inspect.isfunction(f) and n[0] != "_"}


def _mistaken(own: inspect.Signature, promised: inspect.Signature) -> str:
    """What a call by the contract would fail at; empty if nothing."""
    theirs, ours = dict(promised.parameters), dict(own.parameters)
    theirs.pop("self")
    many = any(one.kind is one.VAR_POSITIONAL for one in theirs.values())
    places = [p.kind is not p.KEYWORD_ONLY for p in theirs.values()].count(True)
    if not many and places != [p.kind is not p.KEYWORD_ONLY for p in ours.values()].count(True):
        return f"{places} by place, not {own}"
    for name, one in theirs.items():
        needed = one.kind is one.KEYWORD_ONLY and one.default is one.empty
        if needed and name not in ours:
            return f"no `{name}`"
    for name, one in ours.items():
        extra = one.kind is one.KEYWORD_ONLY and one.default is one.empty
        if extra and name not in theirs:
            return f"nobody gives it `{name}`"
    return ""


@contextmanager
def alone(held: Held, *given: Tensor, model: nn.Module | None = None) -> Iterator[None]:
    """What is done within leaves its inputs, the network and torch's random numbers alone."""
    copies, state = [one.clone() for one in given], torch.get_rng_state()
    parts = [] if model is None else [*model.modules()]
    weights = [] if model is None else [*model.parameters()]
    before = {} if model is None else {n: t.clone() for n, t in model.state_dict().items()}
    modes, flags = [p.training for p in parts], [w.requires_grad for w in weights]
    yield
    same = all(one.equal(copy) for one, copy in zip(given, copies, strict=True))
    held.keeps(same, "its inputs are left alone")
    held.keeps(torch.get_rng_state().equal(state), "torch's global random numbers are left alone")
    now = {} if model is None else model.state_dict()
    held.keeps(all(now[n].equal(t) for n, t in before.items()), "the network's weights stay")
    held.keeps([p.training for p in parts] == modes, "the network's modes come back")
    held.keeps([w.requires_grad for w in weights] == flags, "requires_grad comes back")
    held.keeps(all(w.grad is None for w in weights), "no gradient of a weight is left behind")


def seeded(seed: int = 5) -> torch.Generator:
    """A generator of its own."""
    return torch.Generator().manual_seed(seed)


def told(held: Held, found: list[Measurement], *, layer: bool = True) -> None:
    """Rows are Measurements with what their kind of interval needs, named as the outline says."""
    held.keeps(found, "it says something")
    outline = held.module.outline(held.config)
    for one in found:
        held.keeps(isinstance(one, Measurement), "it says Measurements")
        held.keeps(one.interval in get_args(Interval), f"an interval that there is: {one.interval}")
        held.keeps(type(one.value) in (int, float), f"{one.quantity} is a plain number")
        held.keeps(not one.entry, "it leaves the entry to who asks")
        named = any(_is(one, group) for group in outline)
        held.keeps(named, f"its outline names {one.quantity} (level {one.level}, {one.input!r})")
        between = one.low is not None and one.high is not None and one.low <= one.value <= one.high
        held.keeps(one.interval != "own" or between, f"{one.quantity} lies in its interval")
        counted = one.n is not None and (not one.n or 0 <= one.value <= 1)
        held.keeps(one.interval != "fraction" or counted, f"{one.quantity} is a fraction of n")
        bare = one.low is None is one.high
        held.keeps(one.interval == "own" or bare, f"{one.quantity} has no interval but its own")
    keys = [(m.quantity, m.input, m.layer, m.level, m.epoch) for m in found]
    held.keeps(len({*keys}) == len(keys), "it says no quantity twice")


def _is(one: Measurement, group: dict[str, tuple]) -> bool:
    """Whether a group of an outline foretells a row; of a column that it has not, nothing."""
    for column in ("quantity", "input", "level", "epoch"):
        value, there = getattr(one, column), group.get(column)
        if there is None:
            if value not in (None, "") and column not in ("level", "input"):
                return False
        elif not any(value == t or fnmatchcase(str(value), str(t)) for t in there):
            return False
    return True
