"""Limits on the size that a YAML text unfolds to, counted from its events before it is built.

The parser's events come one by one and without recursion: a text that nests too deep, contains
itself or unfolds to too many nodes is refused at the line where it exceeds the limit.
"""

from collections.abc import Iterable

from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    NodeEvent,
)

MAX_DEPTH = 30  # mappings and lists within one another
MAX_NODES = 50_000  # keys and values, every alias counted unfolded


def check_events(events: Iterable[Event]) -> tuple[int, str] | None:
    """(line, problem) of the first exceeded limit; None if there is none."""
    total, sizes = 0, {}  # nodes so far; {anchor: nodes that it unfolds to}
    above: list[tuple[str | None, int]] = []  # of every open mapping or list: anchor, total before
    for event in events:
        line = event.start_mark.line + 1
        if isinstance(event, CollectionEndEvent):
            anchor, before = above.pop()
            if anchor is not None:
                sizes[anchor] = total - before
        if not isinstance(event, NodeEvent):
            continue
        if isinstance(event, AliasEvent):
            if event.anchor in [anchor for anchor, _ in above]:
                return line, f"alias *{event.anchor} stands inside what it names"
            total += sizes.get(event.anchor, 1)
        else:
            tag = getattr(event, "tag", None)
            if getattr(event, "ctag", None) is not None and (tag or "!") != "!":
                return line, f"tag {tag}: a study has no tags; leave it out"
            if event.anchor is not None:
                sizes[event.anchor] = 1
            if isinstance(event, CollectionStartEvent):
                above.append((event.anchor, total))
            total += 1
        if len(above) > MAX_DEPTH:
            return line, f"more than {MAX_DEPTH} mappings or lists within one another"
        if total > MAX_NODES:
            return line, f"more than {MAX_NODES:,} keys and values, aliases unfolded"
    return None
