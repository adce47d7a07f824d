"""The attacks of an evaluation: a protocol's, or those that are named, and the user's own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from robustinfo.core import registry
from robustinfo.core.batches import ImageSource
from robustinfo.core.entries import entry, parsed
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Entry
from robustinfo.evaluation import protocol
from robustinfo.evaluation.attacks import Attack, attacks_of
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.own import attack_name, crafted_images, own_attack
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball

Choice = str | Mapping[str, Any] | Callable


class Selection(NamedTuple):
    """Attacks by name, the costs of those whose cost is known, and those that nobody named and
    whose one purpose is that a network may be said to hold.
    """

    attacks: dict[str, Attack]
    costs: dict[str, Cost]
    only_to_hold: frozenset[str]


def select(
    size: Size,
    ball: Ball,
    chosen: Sequence[Choice] | None = None,
    *,
    term: Callable | None = None,
    users_term: bool = False,
    crafted: Mapping[str, ImageSource] | None = None,
) -> Selection:
    """The attacks of a protocol; all in the ball.

    chosen: names of the protocol's attacks, or attacks of the catalogue by name or entry
    (``{method: pgd, steps: 500, step_size: 0.01}``), which are made instead of the protocol's; and
    functions (own.py), which are made beside them. None: all of the protocol. users_term: whether
    the term is a function of the user. crafted: adversarial images by a name. Raises UserError.
    """
    parts = protocol.attacks(size, ball, term=term is not None)
    entries = {name: part.entry for name, part in parts.items()}
    functions = [one for one in chosen or () if callable(one)]
    named = [one for one in chosen or () if not callable(one)]
    if named:
        entries = _chosen(named, entries, ball, term)  # type: ignore[arg-type]
    attacks = attacks_of(entries, term=term)
    if users_term:  # of which nothing is known but that it may change
        attacks = {
            name: one._replace(reusable=one.threat.role != "adaptive")
            for name, one in attacks.items()
        }
    for function in functions:
        own = own_attack(function, ball)
        attacks[attack_name(own.entry["name"], attacks)] = own
    for name, images in (crafted or {}).items():
        name = attack_name(name, attacks)
        attacks[name] = crafted_images(images, ball, name)
    costs = {n: part.cost for n, part in parts.items() if entries.get(n) == part.entry}
    return Selection(attacks, costs, frozenset() if named else protocol.ONLY_TO_HOLD)


def _chosen(
    named: Sequence[str | Mapping], entries: Mapping[str, Entry], ball: Ball, term: Callable | None
) -> dict[str, Entry]:
    """The entries that were chosen, by name; of one method several are numbered."""
    chosen: dict[str, Entry] = {}
    for one in named:
        name, found = _named(one, entries, ball, term)
        chosen[attack_name(name, chosen)] = found
    return chosen


def _named(
    one: str | Mapping, entries: Mapping[str, Entry], ball: Ball, term: Callable | None
) -> tuple[str, Entry]:
    """Name and entry of one attack that was chosen."""
    if isinstance(one, str) and one in entries:
        return one, entries[one]
    given = parsed("attacks", one)
    method = given.get("method")
    if method not in registry.names("attacks"):
        raise UserError(
            f"no attack {method!r}; the protocol has {', '.join(entries)}; the catalogue: "
            f"{', '.join(registry.names('attacks'))}"
        )
    about = {"method": method}
    if registry.reads("attacks", about) != "images":
        raise UserError(f"{method} attacks texts, and networks here read images")
    if registry.module("attacks", about).ROLE == "adaptive" and term is None:
        raise UserError(f"{method} needs the term of the defence: give it as loss=")
    fields = registry.module("attacks", about).Config.model_fields
    in_ball = {name: value for name, value in ball.model_dump().items() if name in fields}
    for name, value in in_ball.items():
        if given.get(name, value) != value:
            raise UserError(f"{method}: its {name} is the evaluation's, {value}; leave it out")
    return method, entry("attacks", about | in_ball | given)
