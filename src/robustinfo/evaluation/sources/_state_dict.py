"""Weights by name: find them in a file's content, and put them into a network."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from torch import Tensor, nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._precision import OTHERS

# Where training scripts keep the weights, beside an optimiser's state and averages; in this order.
NAMES = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params")
WRAPPERS = ("module", "_orig_mod")  # parts of names, by DataParallel and torch.compile
DEEPEST = 3  # dictionaries within each other
MOST = 3  # names that an error lists

State = dict[str, Tensor]


def find_weights(content: object, text: str) -> tuple[State, list[str]]:
    """The weights in what a file holds, and notes on the choice. Raises UserError."""
    found = dict(_states(content))
    if not found:
        raise UserError(f"{text} holds {_describe(content)}, and no weights by name (a state_dict)")
    choices = [*found]
    named = [path for name in NAMES for path in choices if path and path[-1] == name]
    if not named and len(choices) > 1:
        raise UserError(
            f"{text} holds several sets of weights, {_join(map(_place, choices))}; save the one "
            f"that is meant under the name {NAMES[0]!r}"
        )
    chosen = (named or choices)[0]
    others = [_place(path) for path in choices if path != chosen]
    notes = [f"holds {_join(others)}, too: its {_place(chosen)} is judged"] if others else []
    return found[chosen], notes


def put_weights(network: nn.Module, state: State, text: str, build: str) -> list[str]:
    """Load the weights into the network. Returns notes; raises UserError where they do not fit."""
    own = network.state_dict()
    renamed = _renamed(state, own)
    # Whether a BatchNorm has counted its batches changes nothing, and old files do not say it.
    missing = [n for n in own if n not in renamed and not n.endswith("num_batches_tracked")]
    unknown = [name for name in renamed if name not in own]
    others = [
        f"{name} {tuple(one.shape)}, not {tuple(own[name].shape)}"
        for name, one in renamed.items()
        if name in own and isinstance(own[name], Tensor) and one.shape != own[name].shape
    ]
    problems = [
        f"{len(names)} {what} ({_join(names)})"
        for names, what in ((missing, "missing"), (unknown, "unknown"), (others, "of other shapes"))
        if names
    ]
    if problems:
        raise UserError(
            f"{text} has {len(state)} tensors and {build} asks for {len(own)}: "
            f"{', '.join(problems)}; build the network that was trained, by its --build-args"
        )
    network.load_state_dict(renamed, strict=False)
    stored = {one.dtype for one in renamed.values()} & OTHERS
    stored -= {one.dtype for one in own.values()}
    names = " and ".join(sorted(map(str, stored)))
    return [f"has weights in {names}: it is judged in torch.float32"] if stored else []


def _states(content: object, depth: int = 0) -> Iterator[tuple[tuple[str, ...], State]]:
    """Every dictionary of tensors in the content, and where it is; an optimiser's has numbers."""
    if not isinstance(content, Mapping) or depth > DEEPEST:
        return
    tensors = {name: one for name, one in content.items() if isinstance(one, Tensor)}
    rest = {name: one for name, one in content.items() if isinstance(one, Mapping) and one}
    if tensors and not rest and all(isinstance(name, str) for name in tensors):
        yield (), tensors
    for name, one in rest.items():
        for path, state in _states(one, depth + 1):
            if all(isinstance(part, str) for part in (name, *path)):
                yield (name, *path), state


def _renamed(state: State, own: Mapping[str, object]) -> State:
    """The weights by the network's names: without wrappers, or without one prefix of all names."""
    if state.keys() == own.keys():
        return state
    names = {_unwrapped(name): name for name in own}
    plain = {_unwrapped(name): one for name, one in state.items()}
    first = {name.partition(".")[0] for name in plain}
    if len(first) == 1 and not names.keys() & plain.keys():  # as Lightning's "model."
        plain = {name.partition(".")[2]: one for name, one in plain.items()}
    return {names.get(name, name): one for name, one in plain.items()}


def _unwrapped(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def _describe(content: object) -> str:
    kind = type(content).__name__
    if isinstance(content, Mapping):
        return f"a {kind} of {_join(map(str, content)) or 'nothing'}"
    return f"a {kind}"


def _place(path: tuple[str, ...]) -> str:
    return ".".join(path) or "dictionary"


def _join(names: "list[str] | map[str]") -> str:
    """The first names, and how many more there are."""
    every = [re.sub(r"\s+", " ", name) for name in names]
    more = f", and {len(every) - MOST} more" if len(every) > MOST else ""
    return ", ".join(islice(every, MOST)) + more
